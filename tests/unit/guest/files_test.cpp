// SPDX-License-Identifier: Apache-2.0
// Files through a guest: what goes in comes out, nothing is left of what was cut short, and archives stay in their directory.
#include "guest_process.hpp"

#include <berth/base/tar.hpp>
#include <berth/guest/files.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace berth::test {
namespace {

namespace fs = std::filesystem;

class GuestFiles : public GuestTest {
 protected:
  void SetUp() override {
    GuestTest::SetUp();
    files_.emplace(directory() + "/guest.sock");
    files_->patience = seconds(60);
  }
  template <class T>
  T run(boost::asio::awaitable<T> work) {
    return run_on(loop_, std::move(work));
  }
  std::string at(const std::string& name) const { return directory() + "/" + name; }
  result<void> write(const std::string& path, std::string data, file_write_options options = {}) {
    return run(files_->write_all(path, std::move(data), std::move(options)));
  }
  result<std::string> read(const std::string& path, std::size_t most = 1u << 30) {
    return run(files_->read_all(path, most));
  }
  std::vector<std::string> names(const std::string& path) {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(path)) out.push_back(entry.path().filename());
    std::sort(out.begin(), out.end());
    return out;
  }
  result<std::string> pack(const std::string& path, const std::string& name, bool follow = false) {
    auto reader = run(files_->pack(path, name, follow));
    if (!reader) return std::move(reader).error();
    std::string all;
    for (;;) {
      auto piece = run(reader->next());
      if (!piece) return std::move(piece).error();
      if (piece->empty()) return all;
      all += *piece;
    }
  }
  result<void> unpack(const std::string& path, std::string_view tar, bool parents) {
    auto writer = run(files_->unpack(path, parents));
    if (!writer) return std::move(writer).error();
    if (auto written = run(writer->write(tar)); !written) return written;
    return run(writer->finish());
  }

  boost::asio::io_context loop_{1};
  std::optional<guest_files> files_;
};

std::string noise(std::size_t size) {
  std::mt19937 numbers(7);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(numbers());
  return out;
}

tar_entry entry(tar_kind kind, std::string name, std::string target = {}) {
  tar_entry e;
  e.kind = kind;
  e.name = std::move(name);
  e.target = std::move(target);
  e.mode = 0644;
  e.uid = ::getuid();
  e.gid = ::getgid();
  return e;
}

std::string file_entry(const std::string& name, const std::string& content) {
  tar_entry e = entry(tar_kind::file, name);
  e.size = content.size();
  return tar_header(e) + content + std::string(tar_padding(content.size()), '\0');
}

std::string whole(std::string entries) { return entries + std::string(tar_end_size, '\0'); }

TEST_F(GuestFiles, WhatGoesInComesOut) {
  for (const std::size_t size : {0u, 1u, 65535u, 65536u, 65537u, 262144u, 262145u, 3000000u}) {
    const std::string data = noise(size);
    ASSERT_TRUE(write(at("f"), data));
    const auto back = read(at("f"));
    ASSERT_TRUE(back) << back.error().to_string();
    EXPECT_EQ(*back, data) << size;
    EXPECT_EQ(slurp(at("f")), data);
  }
  EXPECT_EQ(names(directory()), (std::vector<std::string>{"f", "guest.sock"}));
}

TEST_F(GuestFiles, APartOfAFile) {
  const std::string data = noise(400000);
  ASSERT_TRUE(write(at("f"), data));
  file_range range;
  range.offset = 100000;
  range.limit = 250001;
  auto reader = run(files_->read(at("f"), range));
  ASSERT_TRUE(reader);
  std::string got;
  for (;;) {
    auto piece = run(reader->next());
    ASSERT_TRUE(piece);
    if (piece->empty()) break;
    got += *piece;
  }
  EXPECT_EQ(got, data.substr(100000, 250001));
  EXPECT_TRUE(run(reader->next()) && run(reader->next())->empty());
  const auto too_much = read(at("f"), 399999);
  ASSERT_FALSE(too_much);
  EXPECT_EQ(too_much.error().code, errc::too_big);
  const auto endless = read("/dev/zero", 1000000);
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().code, errc::too_big);
}

TEST_F(GuestFiles, AnyNameIsAName) {
  std::vector<std::string> all = {"new\nline", "caf\xe9", "-rf", "$(x)", " ", "\xc3\xa9", std::string(255, 'x')};
  for (const std::string& name : all) {
    ASSERT_TRUE(write(at("d/" + name), name, {.mode = {}, .parents = true, .into = {}})) << name;
    EXPECT_EQ(*read(at("d/" + name)), name);
  }
  std::sort(all.begin(), all.end());
  const auto listed = run(files_->list(at("d")));
  ASSERT_TRUE(listed);
  ASSERT_EQ(listed->size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ((*listed)[i].name, all[i]);
    EXPECT_EQ((*listed)[i].size, all[i].size());
    EXPECT_TRUE((*listed)[i].is_regular());
  }
  EXPECT_FALSE(write(at(std::string("d/a\0b", 5)), "x"));
}

TEST_F(GuestFiles, ManyEntriesComeInSeveralFrames) {
  fs::create_directory(at("many"));
  for (int i = 0; i < 3000; ++i) std::ofstream(at("many/a-name-of-some-length-" + std::to_string(i)));
  const auto listed = run(files_->list(at("many")));
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->size(), 3000u);
  const auto bounded = run(files_->list(at("many"), 2999));
  ASSERT_FALSE(bounded);
  EXPECT_EQ(bounded.error().code, errc::too_big);
}

TEST_F(GuestFiles, ErrorsSayWhatAndOfWhat) {
  const auto missing = read(at("none"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, errc::not_found);
  EXPECT_EQ(missing.error().sys_errno, ENOENT);
  EXPECT_EQ(missing.error().layer, "files");
  EXPECT_EQ(missing.error().path, at("none"));
  const std::vector<std::pair<result<void>, int>> others = [&] {
    std::vector<std::pair<result<void>, int>> v;
    const auto code = [](const auto& r) { return r ? result<void>() : result<void>(r.error()); };
    v.emplace_back(code(read(directory())), EISDIR);
    v.emplace_back(write(directory(), "x"), EISDIR);
    v.emplace_back(write(at("none/f"), "x"), ENOENT);
    v.emplace_back(code(run(files_->list(at("none")))), ENOENT);
    v.emplace_back(code(run(files_->stat(at("none"), false))), ENOENT);
    v.emplace_back(run(files_->remove(at("none"), true)), ENOENT);
    v.emplace_back(run(files_->remove(directory(), false)), EISDIR);
    v.emplace_back(run(files_->rename(at("none"), at("some"))), ENOENT);
    v.emplace_back(code(pack(at("none"), "")), ENOENT);
    v.emplace_back(unpack(at("none"), whole({}), false), ENOENT);
    v.emplace_back(run(files_->make_directory(directory(), false)), EEXIST);
    return v;
  }();
  for (std::size_t i = 0; i < others.size(); ++i) {
    ASSERT_FALSE(others[i].first) << i;
    EXPECT_EQ(others[i].first.error().sys_errno, others[i].second) << i << others[i].first.error().to_string();
  }
  const auto empty = read("");
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, errc::invalid);
}

TEST_F(GuestFiles, WritingKeepsWhatAFileIs) {
  ASSERT_TRUE(write(at("f"), "old", {.mode = 0640u, .parents = false, .into = {}}));
  ASSERT_TRUE(write(at("f"), "new"));
  EXPECT_EQ(run(files_->stat(at("f"), false))->mode & 07777, 0640u);
  fs::create_symlink("f", at("link"));
  fs::create_symlink("unborn", at("dangling"));
  ASSERT_TRUE(write(at("link"), "through"));
  ASSERT_TRUE(write(at("dangling"), "born"));
  EXPECT_EQ(slurp(at("f")), "through");
  EXPECT_EQ(slurp(at("unborn")), "born");
  EXPECT_TRUE(fs::is_symlink(at("link")));
  EXPECT_EQ(run(files_->stat(at("link"), false))->target, "f");
  EXPECT_TRUE(run(files_->stat(at("link"), true))->is_regular());
  fs::create_directory(at("d"));
  ASSERT_TRUE(write(at("d"), "x", {.mode = {}, .parents = false, .into = "inside"}));
  EXPECT_EQ(slurp(at("d/inside")), "x");
}

TEST_F(GuestFiles, WhatIsCutShortLeavesNothing) {
  ASSERT_TRUE(write(at("f"), "old"));
  const auto before = names(directory());
  const auto settled = [&] {
    for (int i = 0; i < 6000 && names(directory()) != before; ++i) ::usleep(10000);
    return names(directory());
  };
  {
    auto writer = run(files_->write(at("f"), {}));
    ASSERT_TRUE(writer);
    ASSERT_TRUE(run(writer->write(noise(1000000))));
    for (int i = 0; i < 6000 && names(directory()) == before; ++i) ::usleep(10000);
    EXPECT_NE(names(directory()), before);  // under way: something is beside
  }
  EXPECT_EQ(settled(), before);
  EXPECT_EQ(slurp(at("f")), "old");
  {
    auto writer = run(files_->unpack(at("tree"), true));
    ASSERT_TRUE(writer);
    ASSERT_TRUE(run(writer->write(file_entry("a", "x") + file_entry("b", noise(100000)).substr(0, 50000))));
    for (int i = 0; i < 6000 && names(directory()) == before; ++i) ::usleep(10000);
  }
  EXPECT_EQ(settled(), before);
  {
    auto reader = run(files_->read("/dev/zero"));
    ASSERT_TRUE(reader && run(reader->next()));
  }
  EXPECT_EQ(*read(at("f")), "old");
}

TEST_F(GuestFiles, AFullDiskIsToldOfInTheMiddle) {
  auto writer = run(files_->write("/dev/full", {}));
  ASSERT_TRUE(writer);
  result<void> written;
  for (int i = 0; i < 1000 && written; ++i) written = run(writer->write(std::string(256 * 1024, 'x')));
  if (written) written = run(writer->finish());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().sys_errno, ENOSPC) << written.error().to_string();
  ASSERT_TRUE(write(at("f"), "after it"));
}

TEST_F(GuestFiles, RemovingMakingRenaming) {
  ASSERT_TRUE(run(files_->make_directory(at("a/b/c"), true, 0700)));
  ASSERT_TRUE(run(files_->make_directory(at("a/b/c"), true)));
  ASSERT_TRUE(write(at("a/b/c/f"), "x"));
  fs::create_symlink("/", at("a/b/root"));
  ASSERT_TRUE(run(files_->rename(at("a/b"), at("a/e"))));
  EXPECT_EQ(slurp(at("a/e/c/f")), "x");
  std::string deep = at("a/deep");
  for (int i = 0; i < 300; ++i) deep += "/d";
  ASSERT_TRUE(run(files_->make_directory(deep, true)));
  ASSERT_TRUE(run(files_->remove(at("a"), true)));
  EXPECT_FALSE(fs::exists(at("a")));
  EXPECT_TRUE(fs::exists("/etc"));
}

TEST_F(GuestFiles, ATreeThereAndBack) {
  fs::create_directories(at("t/sub/.wh..wh..opq"));
  std::ofstream(at("t/sub/.wh.gone")) << "";
  std::ofstream(at("t/one")) << noise(700000);
  fs::create_hard_link(at("t/one"), at("t/sub/two"));
  fs::create_symlink("sub/two", at("t/link"));
  std::ofstream(at("t/" + std::string(250, 'n'))) << "long";
  ASSERT_EQ(::mkfifo(at("t/pipe").c_str(), 0600), 0);
  ASSERT_EQ(::chmod(at("t/sub").c_str(), 0500), 0);
  const timespec then[2] = {{1000000000, 0}, {1000000000, 0}};
  for (const char* name : {"t/one", "t/link", "t/sub"})
    ASSERT_EQ(::utimensat(AT_FDCWD, at(name).c_str(), then, AT_SYMLINK_NOFOLLOW), 0);
  const auto tar = pack(at("t"), ".");
  ASSERT_TRUE(tar) << tar.error().to_string();
  ASSERT_TRUE(unpack(at("made/as/a/whole"), *tar, true));
  const std::string back = at("made/as/a/whole/");
  EXPECT_EQ(slurp(back + "one"), noise(700000));
  EXPECT_EQ(fs::hard_link_count(back + "one"), 2u);
  EXPECT_TRUE(fs::equivalent(back + "one", back + "sub/two"));
  EXPECT_EQ(fs::read_symlink(back + "link"), "sub/two");
  EXPECT_TRUE(fs::exists(back + "sub/.wh.gone") && fs::is_directory(back + "sub/.wh..wh..opq"));
  EXPECT_EQ(slurp(back + std::string(250, 'n')), "long");
  EXPECT_TRUE(fs::is_fifo(back + "pipe"));
  for (const char* name : {"one", "link", "sub"}) {
    struct stat seen {};
    ASSERT_EQ(::lstat((back + name).c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mtim.tv_sec, 1000000000) << name;
  }
  struct stat seen {};
  ASSERT_EQ(::stat((back + "sub").c_str(), &seen), 0);
  EXPECT_EQ(seen.st_mode & 07777, 0500u);
  EXPECT_EQ(names(at("made/as/a")), (std::vector<std::string>{"whole"}));
  // Again over itself, and by the name of the last component.
  ASSERT_TRUE(unpack(back, *tar, false));
  const auto named = pack(at("t/link"), "", true);
  ASSERT_TRUE(named);
  EXPECT_TRUE(named->starts_with("link"));
  EXPECT_EQ((*named)[156], '0');
}

TEST_F(GuestFiles, AnArchiveStaysInItsDirectory) {
  fs::create_directories(at("victim"));
  fs::create_directories(at("in/real"));
  fs::create_symlink(at("victim"), at("in/out"));
  fs::create_symlink("../victim", at("in/up"));
  fs::create_symlink("real", at("in/inside"));
  const std::vector<std::string> bad = {
      file_entry("../victim/f", "x"),
      file_entry("a/../../victim/f", "x"),
      file_entry("out/f", "x"),
      file_entry("up/f", "x"),
      tar_header(entry(tar_kind::symlink, "new", at("victim"))) + file_entry("new/f", "x"),
      tar_header(entry(tar_kind::hard_link, "f", "../victim")),
      tar_header(entry(tar_kind::hard_link, "f", "out/f")),
  };
  std::ofstream(at("victim/kept")) << "kept";
  for (std::size_t i = 0; i < bad.size(); ++i) {
    const auto outcome = unpack(at("in"), whole(bad[i]), false);
    ASSERT_FALSE(outcome) << i;
    EXPECT_EQ(outcome.error().code, errc::permission) << i << outcome.error().to_string();
  }
  EXPECT_EQ(names(at("victim")), (std::vector<std::string>{"kept"}));
  ASSERT_TRUE(unpack(at("in"), whole(file_entry("/inside/f", "x")), false));
  EXPECT_EQ(slurp(at("in/real/f")), "x");
  // A file takes the place of a link, and never goes through it.
  ASSERT_TRUE(unpack(at("in"), whole(file_entry("out", "x")), false));
  EXPECT_TRUE(fs::is_regular_file(at("in/out")));
  const auto over = unpack(at("in"), whole(file_entry("real", "x")), false);
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().sys_errno, EISDIR);
  for (const std::string& nonsense : {std::string(2048, 'x'), file_entry("cut", noise(5000)).substr(0, 2000)}) {
    const auto refused = unpack(at("in"), nonsense, false);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::invalid) << refused.error().to_string();
  }
}

TEST_F(GuestFiles, ManyAtOnce) {
  using namespace boost::asio::experimental::awaitable_operators;
  fs::create_directory(at("many"));
  int left = 400;
  std::vector<result<void>> outcomes;
  for (int i = 0; i < 400; ++i) {
    boost::asio::co_spawn(
        loop_,
        [](guest_files files, std::string path, std::vector<result<void>>& to,
           int& running) -> boost::asio::awaitable<void> {
          std::string data(5000, path.back());
          auto writing = files.write_all(path, std::move(data), {});
          auto written = co_await std::move(writing);
          to.push_back(std::move(written));
          --running;
        }(*files_, at("many/" + std::to_string(i)), outcomes, left),
        boost::asio::detached);
  }
  loop_.restart();
  while (left > 0 && loop_.run_one() > 0) {
  }
  for (const auto& one : outcomes) EXPECT_TRUE(one) << one.error().to_string();
  EXPECT_EQ(names(at("many")).size(), 400u);
}

TEST_F(GuestFiles, MoreThanTheGuestTakesAreToldSoAndComeLater) {
  fs::create_directory(at("many"));
  std::vector<guest_file_writer> held;
  for (int i = 0; i < 256; ++i) {
    auto writer = run(files_->write(at("many/" + std::to_string(i)), {}));
    ASSERT_TRUE(writer) << writer.error().to_string();
    ASSERT_TRUE(run(writer->write("x")));
    held.push_back(std::move(*writer));
  }
  auto more = run(files_->write(at("more"), {}));
  ASSERT_TRUE(more);
  // Far more than a socket holds: the guest stops listening in the middle of it.
  const auto refused = run(more->write(noise(5000000)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sys_errno, EAGAIN) << refused.error().to_string();
  files_->patience = milliseconds(200);
  const auto late = run(files_->write_all(at("more"), noise(5000000), {}));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().sys_errno, EAGAIN) << late.error().to_string();
  files_->patience = seconds(60);
  for (guest_file_writer& one : held) ASSERT_TRUE(run(one.finish()));
  EXPECT_TRUE(write(at("more"), "y"));
  EXPECT_EQ(slurp(at("more")), "y");
}

TEST_F(GuestFiles, ToAndFromDescriptors) {
  const std::string data = noise(2000000);
  ASSERT_TRUE(write(at("f"), data));
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  std::string got;
  std::thread slow([&] {
    char buffer[4096];
    for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) got.append(buffer, static_cast<std::size_t>(n));
  });
  auto reader = run(files_->read(at("f")));
  ASSERT_TRUE(reader);
  const auto copied = run(reader->copy_to(ends[1]));
  ::close(ends[1]);
  slow.join();
  ::close(ends[0]);
  ASSERT_TRUE(copied) << copied.error().to_string();
  EXPECT_EQ(*copied, data.size());
  EXPECT_EQ(got, data);
  const unique_fd source(::open(at("f").c_str(), O_RDONLY | O_CLOEXEC));
  auto writer = run(files_->write(at("g"), {}));
  ASSERT_TRUE(writer);
  const auto sent = run(writer->copy_from(source.get()));
  ASSERT_TRUE(sent) << sent.error().to_string();
  EXPECT_EQ(*sent, data.size());
  EXPECT_EQ(slurp(at("g")), data);
}

}  // namespace
}  // namespace berth::test

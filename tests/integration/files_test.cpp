// SPDX-License-Identifier: Apache-2.0
// Files of a real sandbox, through its guest and by no program of its root file system.
#include "support/sandbox_fixture.hpp"

#include <berth/base/tar_tree.hpp>
#include <berth/guest/files.hpp>
#include <berth/process/cancellation.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace berth;

class Files : public berth_test::sandbox_test {
 protected:
  void SetUp() override {
    sandbox_test::SetUp();
    if (!ready_) return;
    box_ = create(config());
    ASSERT_TRUE(box_);
  }
  void TearDown() override {
    if (box_) terminate(*box_);
    box_.reset();
    sandbox_test::TearDown();
  }

  guest_files& files() { return box_->files(); }
  result<void> write(const std::string& path, std::string data, bool parents = false) {
    file_write_options options;
    options.parents = parents;
    return loop_.run(files().write_all(path, std::move(data), std::move(options)));
  }
  result<std::string> read(const std::string& path, std::size_t most = 1u << 30) {
    return loop_.run(files().read_all(path, most));
  }
  std::string names(const std::string& path) {
    std::string out;
    auto listed = loop_.run(files().list(path));
    if (!listed) return listed.error().to_string();
    for (const file_info& one : *listed) out += one.name + "\n";
    return out;
  }
  // What is cut short is cleaned up by the guest once it hears of it.
  std::string settled(const std::string& path, const std::string& wanted) {
    std::string now = names(path);
    for (int i = 0; i < 1000 && now != wanted; ++i, ::usleep(10'000)) now = names(path);
    return now;
  }

  std::shared_ptr<sandbox> box_;
};

std::string noise(std::size_t size) {
  std::mt19937 numbers(11);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(numbers());
  return out;
}

TEST_F(Files, AnyContentUnderAnyName) {
  std::vector<std::string> all = {"new\nline", "caf\xe9", "-rf", "\xc3\xa9", std::string(254, 'x'), "$(x) '\"\\"};
  for (const std::string& name : all) {
    for (const std::size_t size : {0u, 1u, 300'000u}) {
      const std::string data = noise(size);
      const auto written = write("/srv/names/" + name, data, true);
      ASSERT_TRUE(written) << written.error().to_string();
      const auto back = read("/srv/names/" + name);
      ASSERT_TRUE(back) << back.error().to_string();
      EXPECT_TRUE(*back == data) << name << size;
    }
  }
  std::sort(all.begin(), all.end());
  std::string wanted;
  for (const std::string& name : all) wanted += name + "\n";
  EXPECT_EQ(names("/srv/names"), wanted);
  const auto missing = read("/none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, errc::not_found);
  EXPECT_EQ(missing.error().path, "/none");
  EXPECT_TRUE(read("/proc/self/status"));
  EXPECT_TRUE(loop_.run(files().remove("/srv/names", true)));
  EXPECT_FALSE(loop_.run(files().stat("/srv/names", false)));
}

TEST_F(Files, ThreeHundredMegabytesInAndOutToASlowReader) {
  constexpr std::size_t size = 300u << 20;
  const std::string local = where_.root + "/large";
  {
    std::ofstream out(local, std::ios::binary);
    const std::string piece = noise(1u << 20);
    for (std::size_t at = 0; at < size; at += piece.size()) out << piece;
  }
  const unique_fd source(::open(local.c_str(), O_RDONLY | O_CLOEXEC));
  auto writer = loop_.run(files().write("/tmp/large", {}));
  ASSERT_TRUE(writer) << writer.error().to_string();
  const auto sent = loop_.run(writer->copy_from(source.get()));
  ASSERT_TRUE(sent) << sent.error().to_string();
  EXPECT_EQ(*sent, size);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  bool same = true;
  std::size_t came = 0;
  std::thread slow([&] {
    const unique_fd again(::open(local.c_str(), O_RDONLY | O_CLOEXEC));
    std::string got(1u << 16, '\0'), wanted(got.size(), '\0');
    for (ssize_t n; (n = ::read(ends[0], got.data(), got.size())) > 0; came += static_cast<std::size_t>(n)) {
      same = same && ::read(again.get(), wanted.data(), static_cast<std::size_t>(n)) == n &&
             got.compare(0, static_cast<std::size_t>(n), wanted, 0, static_cast<std::size_t>(n)) == 0;
      if (came < (4u << 20)) ::usleep(10'000);
    }
  });
  auto reader = loop_.run(files().read("/tmp/large"));
  EXPECT_TRUE(reader);
  if (reader) {
    const auto copied = loop_.run(reader->copy_to(ends[1]));
    EXPECT_TRUE(copied) << copied.error().to_string();
  }
  ::close(ends[1]);
  slow.join();
  ::close(ends[0]);
  EXPECT_EQ(came, size);
  EXPECT_TRUE(same);
  std::filesystem::remove(local);
}

TEST_F(Files, AFullDiskAndAnEndInTheMiddleLeaveNothing) {
  // The shared directory has 20 MiB.
  const std::string place = "/run/berth";
  const std::string before = names(place);
  const auto full = write(place + "/large", std::string(40u << 20, 'x'));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().sys_errno, ENOSPC) << full.error().to_string();
  EXPECT_EQ(settled(place, before), before);
  ASSERT_TRUE(write("/tmp/cut/f", "old", true));
  {
    auto writer = loop_.run(files().write("/tmp/cut/f", {}));
    ASSERT_TRUE(writer);
    ASSERT_TRUE(loop_.run(writer->write(noise(5'000'000))));
    for (int i = 0; i < 1000 && names("/tmp/cut") == "f\n"; ++i) ::usleep(10'000);
    EXPECT_NE(names("/tmp/cut"), "f\n");
  }
  EXPECT_EQ(settled("/tmp/cut", "f\n"), "f\n");
  EXPECT_EQ(*read("/tmp/cut/f"), "old");
  {
    auto writer = loop_.run(files().unpack("/tmp/cut/tree", true));
    ASSERT_TRUE(writer);
    ASSERT_TRUE(loop_.run(writer->write(std::string(512, '\1'))));
    EXPECT_FALSE(loop_.run(writer->finish()));
  }
  EXPECT_EQ(settled("/tmp/cut", "f\n"), "f\n");
}

TEST_F(Files, ATreeThereAndBackWithoutATarProgram) {
  ASSERT_EQ(shell(*box_,
                  "mkdir -p /srv/t/sub/.wh..wh..opq && cd /srv/t && head -c 200000 /dev/urandom > one && "
                  "ln one sub/two && ln -s sub/two link && touch sub/.wh.gone && mkfifo pipe && "
                  "chown 5:6 one && chmod 4750 one && chmod 500 sub && touch -d @1000000000 one sub && "
                  "mv $(command -v tar) /tar.away"),
            "");
  auto reader = loop_.run(files().pack("/srv/t", ".", false));
  ASSERT_TRUE(reader) << reader.error().to_string();
  std::string tar;
  for (;;) {
    auto piece = loop_.run(reader->next());
    ASSERT_TRUE(piece) << piece.error().to_string();
    if (piece->empty()) break;
    tar += *piece;
  }
  auto writer = loop_.run(files().unpack("/made/as/one", true));
  ASSERT_TRUE(writer);
  ASSERT_TRUE(loop_.run(writer->write(tar)));
  const auto done = loop_.run(writer->finish());
  ASSERT_TRUE(done) << done.error().to_string();
  const std::string look =
      " && stat -c '%n %F %a %u:%g %h %Y' one sub link pipe sub/.wh.gone sub/.wh..wh..opq | "
      "sed '/^\\(link\\|pipe\\|sub\\/\\)/s/ [0-9]*$//' && readlink link && cksum < one";
  const std::string wanted = shell(*box_, "cd /srv/t" + look);
  EXPECT_EQ(shell(*box_, "cd /made/as/one" + look), wanted);
  EXPECT_NE(wanted.find("4750 5:6 2 1000000000"), std::string::npos) << wanted;
  EXPECT_EQ(names("/made/as"), "one\n");
  // What a link would lead out of stays out.
  ASSERT_EQ(shell(*box_, "ln -s /etc /made/as/one/out"), "");
  tar_entry e;
  e.name = "out/owned";
  auto again = loop_.run(files().unpack("/made/as/one", false));
  ASSERT_TRUE(again);
  (void)loop_.run(again->write(tar_header(e) + std::string(tar_end_size, '\0')));
  const auto refused = loop_.run(again->finish());
  EXPECT_FALSE(refused);
  EXPECT_FALSE(loop_.run(files().stat("/etc/owned", false)));
}

TEST_F(Files, ManyAtOnce) {
  int left = 200;
  std::string failed;
  for (int i = 0; i < 200; ++i) {
    boost::asio::co_spawn(
        loop_.context(),
        [](guest_files all, int number, int& running, std::string& said) -> boost::asio::awaitable<void> {
          const std::string path = "/srv/many/" + std::to_string(number);
          std::string data(10'000, static_cast<char>(number));
          file_write_options options;
          options.parents = true;
          auto writing = all.write_all(path, data, options);
          auto written = co_await std::move(writing);
          auto reading = all.read_all(path, 1u << 20);
          auto back = co_await std::move(reading);
          if (!written) said += written.error().to_string();
          else if (!back) said += back.error().to_string();
          else if (*back != data) said += "something else came back";
          --running;
        }(files(), i, left, failed),
        boost::asio::detached);
  }
  for (int i = 0; i < 6000 && left > 0; ++i) loop_.run_for(std::chrono::milliseconds(10));
  EXPECT_EQ(left, 0);
  EXPECT_EQ(failed, "");
}

TEST_F(Files, ACheckpointEndsIdleConnectionsAndWaitsForNoTransfer) {
  ASSERT_TRUE(write("/tmp/f", noise(3'000'000)));  // leaves a connection that is idle
  const std::string place = where_.root + "/saved", other = where_.root + "/other";
  std::filesystem::create_directory(place);
  std::filesystem::create_directory(other);
  const auto saved = loop_.run(box_->checkpoint(place, true));
  EXPECT_TRUE(saved) << saved.error().to_string();
  EXPECT_EQ(read("/tmp/f")->size(), 3'000'000u);
  auto reader = loop_.run(files().read("/dev/zero"));
  ASSERT_TRUE(reader);
  const auto refused = loop_.run(box_->checkpoint(other, true));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::state) << refused.error().to_string();
  *reader = guest_file_reader();
  EXPECT_TRUE(read("/tmp/f"));
  std::filesystem::remove_all(place);
  std::filesystem::remove_all(other);
}

// A coroutine that was shielded while it was saved would not be cancelled any more, whatever it went on to do.
TEST_F(Files, WhoHasSavedASandboxCanStillBeCancelled) {
  const std::string place = where_.root + "/saved";
  std::filesystem::create_directory(place);
  boost::asio::cancellation_signal signal;
  std::optional<errc> outcome;
  const auto work = [&]() -> boost::asio::awaitable<result<void>> {
    auto saving = box_->checkpoint(place, true);
    auto saved = co_await std::move(saving);
    if (!saved) co_return saved;
    signal.emit(boost::asio::cancellation_type::terminal);
    auto pausing = pause_for(seconds(1000));
    const bool waited = co_await std::move(pausing);
    if (!waited) co_return make_error(errc::cancelled, "test", "cancelled");
    co_return result<void>();
  };
  boost::asio::co_spawn(loop_.context(), cancellation_as_error(work()),
                        boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, result<void> r) {
                          if (!e) outcome = r ? errc::ok : r.error().code;
                        }));
  for (int i = 0; i < 6000 && !outcome; ++i) loop_.run_for(std::chrono::milliseconds(10));
  EXPECT_EQ(outcome, errc::cancelled);
  std::filesystem::remove_all(place);
}

}  // namespace

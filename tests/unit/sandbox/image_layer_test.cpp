// SPDX-License-Identifier: Apache-2.0
#include <berth/sandbox/image_layer.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace berth;

tar_entry entry(tar_kind kind, std::string name, std::string target = {}) {
  tar_entry e;
  e.kind = kind;
  e.name = std::move(name);
  e.target = std::move(target);
  e.mode = 0755;
  return e;
}

tar_entry file(std::string name, std::uint64_t size) {
  tar_entry e = entry(tar_kind::file, std::move(name));
  e.size = size;
  return e;
}

std::string with_content(const tar_entry& e, const std::string& content) {
  return tar_header(e) + content + std::string(tar_padding(content.size()), '\0');
}

std::string archive(std::initializer_list<std::string> parts) {
  std::string out;
  for (const std::string& part : parts) out += part;
  return out + std::string(tar_end_size, '\0');
}

result<std::string> convert(const std::string& tar, std::size_t step = 512) {
  image_layer_converter converter;
  std::string out;
  for (std::size_t at = 0; at < tar.size(); at += step) BERTH_TRY(converter.convert(tar.substr(at, step), out));
  BERTH_TRY(converter.finish(out));
  return out;
}

struct read_back {
  std::vector<tar_entry> entries;
  std::string content;
};

read_back read(const std::string& tar) {
  tar_reader reader;
  reader.append(tar);
  read_back out;
  for (;;) {
    auto next = reader.next();
    EXPECT_TRUE(next && *next) << (next ? "cut short" : next.error().to_string());
    if (!next || !*next || (*next)->what == tar_reader::piece::kind::end) return out;
    if ((*next)->what == tar_reader::piece::kind::entry) out.entries.push_back(std::move((*next)->entry));
    else out.content += (*next)->content;
  }
}

std::vector<std::string> names(const std::string& tar) {
  std::vector<std::string> out;
  for (const tar_entry& e : read(tar).entries) out.push_back(e.name);
  return out;
}

std::string refusal(const std::string& tar, errc code) {
  const auto done = convert(tar);
  if (done) return "nothing was refused";
  EXPECT_EQ(done.error().code, code) << done.error().to_string();
  EXPECT_EQ(done.error().layer, "sandbox");
  return done.error().message;
}

TEST(ImageLayer, RemovalsAreWhiteouts) {
  const std::string tar = archive({tar_header(entry(tar_kind::directory, "./")),
                                   tar_header(entry(tar_kind::character_device, "./usr/share/doc")),
                                   tar_header(entry(tar_kind::hard_link, "./etc/fstab", "./usr/share/doc")),
                                   tar_header(entry(tar_kind::hard_link, "top", "etc/fstab"))});
  for (const std::size_t step : {std::size_t{1}, std::size_t{512}, std::size_t{1000}, tar.size()}) {
    const auto layer = convert(tar, step);
    ASSERT_TRUE(layer) << layer.error().to_string();
    EXPECT_EQ(names(*layer), (std::vector<std::string>{"./", "usr/share/.wh.doc", "etc/.wh.fstab", ".wh.top"}));
    EXPECT_EQ(layer->size() % 512, 0u);
    const tar_entry whiteout = read(*layer).entries[1];
    EXPECT_EQ(whiteout.kind, tar_kind::file);
    EXPECT_EQ(whiteout.size, 0u);
  }
}

TEST(ImageLayer, OpaqueDirectoriesHaveTheirMark) {
  tar_entry opaque = entry(tar_kind::directory, "./etc/apt/");
  opaque.xattrs = {{"trusted.overlay.opaque", "y"}, {"user.kept", "1"}, {"security.selinux", "host"}};
  tar_entry root = entry(tar_kind::directory, ".");
  root.xattrs = {{"trusted.overlay.opaque", "y"}};
  tar_entry plain = entry(tar_kind::directory, "plain");
  plain.xattrs = {{"trusted.overlay.opaque", "n"}, {"trusted.overlay.origin", "x"}};
  tar_entry no_directory = file("f", 0);
  no_directory.xattrs = {{"trusted.overlay.opaque", "y"}};
  const auto layer =
      convert(archive({tar_header(root), tar_header(opaque), tar_header(plain), tar_header(no_directory)}));
  ASSERT_TRUE(layer) << layer.error().to_string();
  EXPECT_EQ(names(*layer),
            (std::vector<std::string>{"./", ".wh..wh..opq", "etc/apt/", "etc/apt/.wh..wh..opq", "plain/", "f"}));
  const auto entries = read(*layer).entries;
  EXPECT_EQ(entries[2].xattrs, (std::vector<std::pair<std::string, std::string>>{{"user.kept", "1"}}));
  EXPECT_TRUE(entries[4].xattrs.empty());
}

TEST(ImageLayer, EverythingElseStaysAsItWas) {
  tar_entry tool = file("./bin/" + std::string(200, 't'), 5);
  tool.mode = 04755;
  tool.uid = 3'000'000'000u;
  tool.gid = 7;
  tool.mtime = -5;
  tool.xattrs = {{"security.capability", std::string("\1\0\2", 3)}};
  tar_entry device = entry(tar_kind::character_device, "dev/null");
  device.device_major = 1;
  device.device_minor = 3;
  const tar_entry zero = entry(tar_kind::block_device, "dev/zero");  // of blocks: no removal
  const auto layer = convert(
      archive({with_content(tool, "hello"), tar_header(entry(tar_kind::hard_link, "./bin/b", "./" + tool.name)),
               tar_header(entry(tar_kind::symlink, "s", "../../etc/.wh.x")), tar_header(device), tar_header(zero),
               tar_header(entry(tar_kind::fifo, "p")), with_content(file("block", 512), std::string(512, 'b'))}));
  ASSERT_TRUE(layer) << layer.error().to_string();
  const auto got = read(*layer);
  ASSERT_EQ(got.entries.size(), 7u);
  EXPECT_EQ(got.content, "hello" + std::string(512, 'b'));
  EXPECT_EQ(got.entries[0].name, tool.name.substr(2));
  EXPECT_EQ(got.entries[0].mode, 04755u);
  EXPECT_EQ(got.entries[0].uid, 3'000'000'000u);
  EXPECT_EQ(got.entries[0].gid, 7u);
  EXPECT_EQ(got.entries[0].mtime, -5);
  EXPECT_EQ(got.entries[0].xattrs, tool.xattrs);
  EXPECT_EQ(got.entries[1].kind, tar_kind::hard_link);
  EXPECT_EQ(got.entries[1].target, tool.name.substr(2));
  EXPECT_EQ(got.entries[2].target, "../../etc/.wh.x");
  EXPECT_EQ(got.entries[3].device_minor, 3u);
  EXPECT_EQ(got.entries[4].kind, tar_kind::block_device);
  EXPECT_EQ(got.entries[5].kind, tar_kind::fifo);
}

// A header of GNU's kind for the name of the next one.
TEST(ImageLayer, GnusLongNamesAreRead) {
  const std::string name = "./" + std::string(150, 'd') + "/" + std::string(150, 'f');
  std::string about = tar_header(file("././@LongLink", name.size() + 1));
  about[156] = 'L';
  unsigned sum = 8 * ' ';
  for (std::size_t i = 0; i < about.size(); ++i)
    if (i < 148 || i >= 156) sum += static_cast<unsigned char>(about[i]);
  char digits[8];
  std::snprintf(digits, sizeof digits, "%06o", sum);
  about.replace(148, 7, digits, 7);
  about += name + std::string(1 + tar_padding(name.size() + 1), '\0');
  const auto layer = convert(archive({about, tar_header(file("short", 0))}));
  ASSERT_TRUE(layer) << layer.error().to_string();
  EXPECT_EQ(names(*layer), (std::vector<std::string>{name.substr(2)}));
}

TEST(ImageLayer, HostileNamesAreRefused) {
  using kind = tar_kind;
  for (const char* name : {"../up", "a/../../up", "..", "./..", "a/.."})
    EXPECT_EQ(refusal(archive({tar_header(file(name, 0))}), errc::invalid),
              "an archive names a path outside of itself");
  EXPECT_EQ(refusal(archive({tar_header(file("/etc/passwd", 0))}), errc::invalid),
            "an archive names a path from the root on");
  for (const char* name : {".wh.x", "a/.wh.x", "a/.wh./b", "./.wh..wh..opq", ".wh..wh.plnk/1"})
    EXPECT_EQ(refusal(archive({tar_header(file(name, 0))}), errc::unsupported),
              "an image cannot hold a file whose name begins with .wh.: it is a removal there");
  // What is removed is no better.
  EXPECT_NE(refusal(archive({tar_header(entry(kind::character_device, "a/.wh.x"))}), errc::unsupported), "");
  EXPECT_NE(refusal(archive({tar_header(entry(kind::hard_link, "a", "../../etc/shadow"))}), errc::invalid), "");
  EXPECT_NE(refusal(archive({tar_header(entry(kind::hard_link, "a", "/etc/shadow"))}), errc::invalid), "");
  EXPECT_NE(refusal(archive({tar_header(entry(kind::hard_link, "a", ".wh.b"))}), errc::unsupported), "");
  EXPECT_EQ(refusal(archive({tar_header(entry(kind::hard_link, "a", "."))}), errc::invalid),
            "a hard link to a directory");
  for (const kind what : {kind::file, kind::symlink, kind::character_device, kind::fifo})
    EXPECT_EQ(refusal(archive({tar_header(entry(what, ".", "t"))}), errc::invalid).substr(0, 10), "an archive");
  const auto error = convert(archive({tar_header(file("dir/.wh.x", 0))}));
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().path, "dir/.wh.x");
}

TEST(ImageLayer, WhatIsNoWholeTarIsRefused) {
  const std::string tar = archive({with_content(file("f", 1000), std::string(1000, 'x'))});
  for (const std::size_t end : {std::size_t{0}, std::size_t{100}, std::size_t{600}, std::size_t{1536}})
    EXPECT_EQ(refusal(tar.substr(0, end), errc::invalid), "an archive that was cut short");
  EXPECT_NE(refusal(std::string(2048, 'x'), errc::invalid).find("not a tar"), std::string::npos);
  std::string damaged = tar;
  damaged[0] = 'g';
  EXPECT_NE(refusal(damaged, errc::invalid).find("not a tar"), std::string::npos);
}

TEST(ImageLayer, WhatIsHeldInMemoryIsBounded) {
  // Headers about a next entry that never comes, each within its limit.
  tar_entry e = file("f", 0);
  e.xattrs = {{"user.a", std::string(300 << 10, 'x')}};
  std::string header = tar_header(e);
  header.resize(header.size() - 512);
  EXPECT_EQ(refusal(header + header + header + header, errc::invalid), "a pax header that cannot be read");

  image_layer_converter converter;
  std::string out;
  const std::string directory = std::string(3900, 'd') + "/";
  std::optional<error> refused;
  for (int i = 0; i < 20'000 && !refused; ++i) {
    out.clear();
    auto done = converter.convert(tar_header(entry(tar_kind::character_device, directory + std::to_string(i))), out);
    if (!done) refused = done.error();
  }
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, errc::too_big);
}

}  // namespace

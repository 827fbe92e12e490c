// SPDX-License-Identifier: Apache-2.0
// Messages about files, there and back; and what a host takes for an answer.
#include <berth/base/tar.hpp>
#include <berth/guest/file_messages.hpp>

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cerrno>
#include <limits>
#include <string>
#include <vector>

namespace berth::test {
namespace {

using verb = guest_file_request::verb;

std::string answer(std::uint32_t err = 0) { return encode(guest_file_answer{err, "cannot", "/f\x1b"}); }

file_info info(std::string name) {
  file_info out;
  out.name = std::move(name);
  out.mode = S_IFLNK | 0777;
  out.size = std::numeric_limits<std::uint64_t>::max();
  out.uid = 1;
  out.gid = 4294967295u;
  out.mtime = -5;
  out.mtime_ns = 999'999'999;
  out.target = "else\nwhere";
  return out;
}

std::string entries(std::initializer_list<std::string> names) {
  std::string out;
  for (const std::string& name : names) append_file_info(out, info(name));
  return out;
}

TEST(FileMessages, ARequestThereAndBack) {
  guest_file_request m;
  m.what = verb::rename;
  m.path = "/a\nb\xff";
  m.other = "c";
  m.offset = 1ull << 40;
  m.limit = std::numeric_limits<std::uint64_t>::max();
  m.mode = 07777;
  m.follow = m.recursive = m.parents = true;
  const auto back = decode_guest<guest_file_request>(encode(m));
  ASSERT_TRUE(back) << back.error().to_string();
  EXPECT_EQ(encode(*back), encode(m));
  EXPECT_EQ(back->offset, m.offset);
  EXPECT_EQ(back->mode, 07777u);
  for (const auto spoil :
       {+[](guest_file_request& r) { r.path.clear(); }, +[](guest_file_request& r) { r.path += '\0'; },
        +[](guest_file_request& r) { r.other.clear(); }, +[](guest_file_request& r) { r.what = static_cast<verb>(0); },
        +[](guest_file_request& r) { r.what = static_cast<verb>(10); }}) {
    guest_file_request bad = m;
    spoil(bad);
    const auto refused = decode_guest<guest_file_request>(encode(bad));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::hostile);
  }
  EXPECT_FALSE(decode_guest<guest_file_request>(encode(m) + "x"));
}

TEST(FileMessages, EntriesThereAndBack) {
  const auto back = decode_file_infos(entries({"a", "...", "-\n\xff"}));
  ASSERT_TRUE(back) << back.error().to_string();
  ASSERT_EQ(back->size(), 3u);
  EXPECT_EQ((*back)[2].name, "-\n\xff");
  EXPECT_EQ((*back)[0].mtime, -5);
  EXPECT_EQ((*back)[0].size, std::numeric_limits<std::uint64_t>::max());
  EXPECT_TRUE((*back)[0].is_symlink() && !(*back)[0].is_directory() && !(*back)[0].is_regular());
  EXPECT_TRUE(decode_file_infos(entries({""})));
  for (const auto& bad : {entries({"a", ""}), entries({".."}), entries({"."}), entries({"a/b"}), entries({"/"}),
                          entries({std::string("a\0b", 3)}), entries({"a"}).substr(1), entries({"a"}) + "x"}) {
    const auto refused = decode_file_infos(bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::hostile);
  }
}

TEST(FileConversation, AReadIsHeldToWhatWasAskedFor) {
  guest_file_conversation c(verb::read, 10);
  EXPECT_EQ(*c.take(guest_frame_kind::out, "123456"), "123456");
  EXPECT_EQ(*c.take(guest_frame_kind::out, "7890"), "7890");
  const auto more = c.take(guest_frame_kind::out, "x");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, errc::hostile);
}

TEST(FileConversation, NothingIsSaidOutOfTurn) {
  for (const verb what : {verb::write, verb::remove, verb::make_directory, verb::rename, verb::unpack}) {
    guest_file_conversation c(what);
    EXPECT_FALSE(c.take(guest_frame_kind::out, "x"));
    ASSERT_TRUE(c.take(guest_frame_kind::file_answer, answer()));
    EXPECT_EQ(c.answer()->sys_errno, 0u);
    EXPECT_FALSE(c.take(guest_frame_kind::file_answer, answer()));
  }
  for (const auto kind : {guest_frame_kind::started, guest_frame_kind::err, guest_frame_kind::greeting,
                          guest_frame_kind::daemon_news, guest_frame_kind::wanted}) {
    guest_file_conversation c(verb::list);
    EXPECT_FALSE(c.take(kind, answer()));
  }
  guest_file_conversation list(verb::list);
  EXPECT_FALSE(list.take(guest_frame_kind::out, ""));
  EXPECT_FALSE(list.take(guest_frame_kind::file_answer, "x"));
  EXPECT_FALSE(list.take(guest_frame_kind::file_answer, answer(5000)));
  guest_file_conversation stat(verb::stat);
  EXPECT_FALSE(stat.take(guest_frame_kind::file_answer, answer()));  // of what?
  EXPECT_TRUE(stat.take(guest_frame_kind::out, entries({""})));
  EXPECT_FALSE(stat.take(guest_frame_kind::out, entries({""})));
}

TEST(FileConversation, AFailureIsAnErrorOfFilesMadeVisible) {
  guest_file_conversation c(verb::stat);
  ASSERT_TRUE(c.take(guest_frame_kind::file_answer, answer(ENOENT)));
  const error e = guest_file_error(*c.answer());
  EXPECT_EQ(e.code, errc::not_found);
  EXPECT_EQ(e.sys_errno, ENOENT);
  EXPECT_EQ(e.layer, "files");
  EXPECT_EQ(e.path, "/f\\x1b");
  EXPECT_EQ(guest_file_error({ENOSPC, "", ""}).code, errc::io);
  EXPECT_EQ(guest_file_error({EPERM, "", ""}).code, errc::permission);
  guest_file_conversation refused(verb::read, 1);
  ASSERT_TRUE(refused.take(guest_frame_kind::refused, encode(guest_refused{0, EAGAIN, "too many"})));
  EXPECT_EQ(refused.answer()->sys_errno, static_cast<std::uint32_t>(EAGAIN));
}

TEST(Tar, LongNamesLargeNumbersAndAttributesThereAndBack) {
  tar_entry e;
  e.name = std::string(3000, 'n') + "/\xff\n";
  e.kind = tar_kind::file;
  e.uid = 4294967294u;
  e.gid = 3000000;
  e.size = 1ull << 40;
  e.mtime = -77;
  e.mode = 04755;
  e.xattrs = {{"user.a", std::string("b\0\n=", 4)}, {"security.capability", "x"}};
  tar_entry link;
  link.kind = tar_kind::hard_link;
  link.name = "l";
  link.target = std::string(101, 't');
  tar_reader reader;
  reader.append(tar_header(link) + tar_header(e));
  auto first = reader.next();
  ASSERT_TRUE(first && *first) << first.error().to_string();
  EXPECT_EQ((*first)->entry.kind, tar_kind::hard_link);
  EXPECT_EQ((*first)->entry.target, link.target);
  auto second = reader.next();
  ASSERT_TRUE(second && *second);
  const tar_entry& back = (*second)->entry;
  EXPECT_EQ(back.name, e.name);
  EXPECT_EQ(back.uid, e.uid);
  EXPECT_EQ(back.gid, e.gid);
  EXPECT_EQ(back.size, e.size);
  EXPECT_EQ(back.mtime, e.mtime);
  EXPECT_EQ(back.mode, 04755u);
  EXPECT_EQ(back.xattrs, e.xattrs);
}

TEST(Tar, WhatIsNoneIsRefused) {
  tar_entry sparse;
  sparse.name = "f";
  std::string changed = tar_header(sparse);
  changed[0] = 'g';  // its sum is another's
  tar_reader a;
  a.append(changed);
  EXPECT_FALSE(a.next());
  EXPECT_FALSE(a.next());
  tar_reader b;
  b.append(std::string(512, 'x'));
  EXPECT_FALSE(b.next());
  tar_reader c;
  c.append(std::string(512, '\0'));
  const auto end = c.next();
  ASSERT_TRUE(end && *end);
  EXPECT_EQ((*end)->what, tar_reader::piece::kind::end);
  EXPECT_TRUE(c.at_end());
}

}  // namespace
}  // namespace berth::test

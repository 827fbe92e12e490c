// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/visible_text.hpp>
#include <berth/guest/detail/payload.hpp>
#include <berth/guest/file_messages.hpp>

#include <sys/stat.h>

#include <cerrno>

namespace berth {

namespace detail {

inline constexpr std::uint32_t file_permissions = 07777;

inline bool is_path_component(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos && name.find('\0') == name.npos;
}

}  // namespace detail

BERTH_DECL bool file_info::is_directory() const noexcept { return S_ISDIR(mode); }
BERTH_DECL bool file_info::is_regular() const noexcept { return S_ISREG(mode); }
BERTH_DECL bool file_info::is_symlink() const noexcept { return S_ISLNK(mode); }

BERTH_DECL std::string encode(const guest_file_request& m) {
  std::string out;
  detail::put_u32(out, static_cast<std::uint32_t>(m.what));
  detail::put_string(out, m.path);
  detail::put_string(out, m.other);
  detail::put_u64(out, m.offset);
  detail::put_u64(out, m.limit);
  detail::put_u32(out, m.mode.value_or(0) & detail::file_permissions);
  detail::put_u32(out, (m.mode ? 1u : 0u) | (m.follow ? 2u : 0u) | (m.recursive ? 4u : 0u) | (m.parents ? 8u : 0u));
  return out;
}

template <>
BERTH_DECL result<guest_file_request> decode_guest<guest_file_request>(std::string_view payload) {
  using verb = guest_file_request::verb;
  detail::payload_reader read(payload);
  guest_file_request m;
  m.what = static_cast<verb>(read.number(static_cast<std::uint32_t>(verb::unpack)));
  if (m.what < verb::read) read.break_off();
  m.path = read.c_string();
  m.other = read.c_string();
  m.offset = read.long_number();
  m.limit = read.long_number();
  const std::uint32_t mode = read.number(detail::file_permissions);
  const std::uint32_t flags = read.number(15);
  if ((flags & 1) != 0) m.mode = mode;
  else if (mode != 0) read.break_off();
  m.follow = (flags & 2) != 0;
  m.recursive = (flags & 4) != 0;
  m.parents = (flags & 8) != 0;
  if (m.path.empty() || (m.what == verb::rename && m.other.empty())) read.break_off();
  return detail::checked(read, std::move(m), "file");
}

BERTH_DECL std::string encode(const guest_file_answer& m) {
  std::string out;
  detail::put_u32(out, m.sys_errno);
  detail::put_string(out, m.message);
  detail::put_string(out, m.path);
  return out;
}

template <>
BERTH_DECL result<guest_file_answer> decode_guest<guest_file_answer>(std::string_view payload) {
  detail::payload_reader read(payload);
  guest_file_answer m;
  m.sys_errno = read.number(4095);
  m.message = read.string();
  m.path = read.string();
  return detail::checked(read, std::move(m), "file_answer");
}

BERTH_DECL void append_file_info(std::string& to, const file_info& info) {
  detail::put_string(to, info.name);
  detail::put_u32(to, info.mode);
  detail::put_u64(to, info.size);
  detail::put_u32(to, info.uid);
  detail::put_u32(to, info.gid);
  detail::put_u64(to, static_cast<std::uint64_t>(info.mtime));
  detail::put_u32(to, info.mtime_ns);
  detail::put_string(to, info.target);
}

BERTH_DECL result<std::vector<file_info>> decode_file_infos(std::string_view payload) {
  detail::payload_reader read(payload);
  std::vector<file_info> all;
  while (!read.at_end() && !read.broken()) {
    file_info one;
    one.name = read.string();
    one.mode = read.number();
    one.size = read.long_number();
    one.uid = read.number();
    one.gid = read.number();
    one.mtime = static_cast<std::int64_t>(read.long_number());
    one.mtime_ns = read.number(999'999'999);
    one.target = read.c_string();
    all.push_back(std::move(one));
  }
  const bool alone = all.size() == 1 && all.front().name.empty();
  for (const file_info& one : all) {
    if (!alone && !detail::is_path_component(one.name)) {
      std::string shown;
      append_shown(shown, one.name);
      return detail::guest_nonsense("the sandbox's guest gave a name that is none: " + shown);
    }
  }
  return detail::checked(read, std::move(all), "entries");
}

BERTH_DECL result<std::string_view> guest_file_conversation::take(guest_frame_kind kind, std::string_view payload) {
  using verb = guest_file_request::verb;
  const auto out_of_turn = [] { return detail::guest_nonsense("the guest spoke out of turn"); };
  if (answer_) return out_of_turn();
  if (kind == guest_frame_kind::file_answer) {
    auto answer = decode_guest<guest_file_answer>(payload);
    if (!answer) return std::move(answer).error();
    if (what_ == verb::stat && answer->sys_errno == 0 && entries_ == 0) return out_of_turn();
    answer_ = std::move(*answer);
    return std::string_view();
  }
  if (kind == guest_frame_kind::refused) {
    auto why = decode_guest<guest_refused>(payload);
    if (!why) return std::move(why).error();
    answer_ = guest_file_answer{why->sys_errno == 0 ? std::uint32_t{EIO} : why->sys_errno, why->message, {}};
    return std::string_view();
  }
  if (kind != guest_frame_kind::out || payload.empty()) return out_of_turn();
  switch (what_) {
    case verb::read:
      if (payload.size() > left_) return detail::guest_nonsense("the guest sent more of a file than it was asked for");
      left_ -= payload.size();
      break;
    case verb::stat:
      if (++entries_ > 1) return out_of_turn();
      break;
    case verb::list:
    case verb::pack: break;
    default: return out_of_turn();
  }
  return payload;
}

BERTH_DECL error guest_file_error(const guest_file_answer& answer) {
  std::string path, said;
  append_shown(path, answer.path);
  append_shown(said, answer.message);
  if (said.empty()) said = "an operation on a file of the sandbox failed";
  error e = errno_error(static_cast<int>(answer.sys_errno), "files", std::move(said), std::move(path));
  if (answer.sys_errno == EINVAL) e.code = errc::invalid;
  if (answer.sys_errno == EFBIG) e.code = errc::too_big;
  return e;
}

}  // namespace berth

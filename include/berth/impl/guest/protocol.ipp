// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/guest/detail/payload.hpp>
#include <berth/guest/protocol.hpp>

namespace berth {

namespace detail {

inline bool is_guest_frame_kind(std::uint8_t kind) {
  switch (static_cast<guest_frame_kind>(kind)) {
    case guest_frame_kind::hello:
    case guest_frame_kind::start:
    case guest_frame_kind::input:
    case guest_frame_kind::input_end:
    case guest_frame_kind::signal:
    case guest_frame_kind::resize:
    case guest_frame_kind::grant:
    case guest_frame_kind::unwanted:
    case guest_frame_kind::daemon:
    case guest_frame_kind::retreat:
    case guest_frame_kind::file:
    case guest_frame_kind::greeting:
    case guest_frame_kind::started:
    case guest_frame_kind::out:
    case guest_frame_kind::err:
    case guest_frame_kind::wanted:
    case guest_frame_kind::exited:
    case guest_frame_kind::drained:
    case guest_frame_kind::refused:
    case guest_frame_kind::deaf:
    case guest_frame_kind::daemon_news:
    case guest_frame_kind::rest:
    case guest_frame_kind::idle_for:
    case guest_frame_kind::retreating:
    case guest_frame_kind::file_answer: return true;
  }
  return false;
}

}  // namespace detail

BERTH_DECL void guest_frame_reader::append(std::string_view data) {
  if (broken_) return;
  if (at_ > 0) {
    bytes_.erase(0, at_);
    at_ = 0;
  }
  bytes_ += data;
}

BERTH_DECL result<std::optional<guest_frame>> guest_frame_reader::next() {
  const auto nonsense = [this](std::string message) {
    broken_ = true;
    bytes_.clear();
    at_ = 0;
    return detail::guest_nonsense(std::move(message));
  };
  if (broken_) return detail::guest_nonsense("the stream of frames is broken");
  const std::string_view rest = std::string_view(bytes_).substr(at_);
  if (rest.size() < guest_header_size) return std::optional<guest_frame>();
  const std::size_t size = detail::get_u32(rest);
  const auto kind = static_cast<std::uint8_t>(rest[4]);
  if (size > limit_)
    return nonsense("a frame of " + std::to_string(size) + " bytes, over the limit of " + std::to_string(limit_));
  if (!detail::is_guest_frame_kind(kind) || rest.substr(5, 3) != std::string_view("\0\0\0", 3))
    return nonsense("not a frame");
  if (rest.size() - guest_header_size < size) return std::optional<guest_frame>();
  at_ += guest_header_size + size;
  return std::optional<guest_frame>(
      guest_frame{static_cast<guest_frame_kind>(kind), rest.substr(guest_header_size, size)});
}

BERTH_DECL void append_guest_frame(std::string& to, guest_frame_kind kind, std::string_view payload) {
  detail::put_u32(to, static_cast<std::uint32_t>(payload.size()));
  to += static_cast<char>(kind);
  to.append(3, '\0');
  to += payload;
}

BERTH_DECL std::string encode(const guest_hello& m) {
  std::string out;
  detail::put_u32(out, m.version);
  detail::put_string(out, m.program);
  return out;
}

template <>
BERTH_DECL result<guest_hello> decode_guest<guest_hello>(std::string_view payload) {
  // The version stands first for ever: what follows it may be another version's.
  if (payload.size() < 4) return detail::guest_nonsense("a message that cannot be read: hello");
  guest_hello m;
  m.version = detail::get_u32(payload);
  if (m.version != guest_protocol_version) return m;
  detail::payload_reader read(payload);
  m.version = read.number();
  m.program = read.string();
  return detail::checked(read, std::move(m), "hello");
}

BERTH_DECL std::string encode(const guest_start& m) {
  std::string out;
  detail::put_strings(out, m.argv);
  detail::put_strings(out, m.env);
  detail::put_string(out, m.cwd);
  detail::put_string(out, m.user);
  detail::put_u32(out, (m.input ? 1u : 0u) | (m.terminal ? 2u : 0u));
  if (m.terminal) out += encode(*m.terminal);
  return out;
}

template <>
BERTH_DECL result<guest_start> decode_guest<guest_start>(std::string_view payload) {
  detail::payload_reader read(payload);
  guest_start m;
  m.argv = read.c_strings();
  m.env = read.c_strings();
  m.cwd = read.c_string();
  m.user = read.c_string();
  const std::uint32_t flags = read.number(3);
  if (m.argv.empty() || m.argv.front().empty()) read.break_off();
  m.input = (flags & 1) != 0;
  if ((flags & 2) != 0) {
    guest_terminal_size size;
    size.rows = static_cast<std::uint16_t>(read.number(65535));
    size.columns = static_cast<std::uint16_t>(read.number(65535));
    m.terminal = size;
  }
  return detail::checked(read, std::move(m), "start");
}

BERTH_DECL std::string encode(const guest_signal& m) {
  std::string out;
  detail::put_u32(out, m.number);
  detail::put_u32(out, m.group ? 1 : 0);
  return out;
}

template <>
BERTH_DECL result<guest_signal> decode_guest<guest_signal>(std::string_view payload) {
  detail::payload_reader read(payload);
  guest_signal m;
  m.number = read.number(64);
  m.group = read.number(1) != 0;
  return detail::checked(read, m, "signal");
}

BERTH_DECL std::string encode(const guest_terminal_size& m) {
  std::string out;
  detail::put_u32(out, m.rows);
  detail::put_u32(out, m.columns);
  return out;
}

template <>
BERTH_DECL result<guest_terminal_size> decode_guest<guest_terminal_size>(std::string_view payload) {
  detail::payload_reader read(payload);
  guest_terminal_size m;
  m.rows = static_cast<std::uint16_t>(read.number(65535));
  m.columns = static_cast<std::uint16_t>(read.number(65535));
  return detail::checked(read, m, "resize");
}

BERTH_DECL std::string encode(const guest_grant& m) {
  std::string out;
  detail::put_u32(out, m.stream);
  detail::put_u32(out, m.bytes);
  return out;
}

template <>
BERTH_DECL result<guest_grant> decode_guest<guest_grant>(std::string_view payload) {
  detail::payload_reader read(payload);
  guest_grant m;
  m.stream = static_cast<std::uint8_t>(read.number(2));
  m.bytes = read.number(guest_stream_window);
  return detail::checked(read, m, "grant");
}

BERTH_DECL std::string encode(const guest_started& m) {
  std::string out;
  detail::put_u32(out, m.pid);
  return out;
}

template <>
BERTH_DECL result<guest_started> decode_guest<guest_started>(std::string_view payload) {
  detail::payload_reader read(payload);
  guest_started m;
  m.pid = read.number(0x7fffffff);
  return detail::checked(read, m, "started");
}

BERTH_DECL std::string encode(const guest_exited& m) {
  std::string out;
  detail::put_u32(out, m.code);
  detail::put_u32(out, m.signal);
  return out;
}

template <>
BERTH_DECL result<guest_exited> decode_guest<guest_exited>(std::string_view payload) {
  detail::payload_reader read(payload);
  guest_exited m;
  m.code = read.number(255);
  m.signal = read.number(127);
  return detail::checked(read, m, "exited");
}

BERTH_DECL std::string encode(const guest_refused& m) {
  std::string out;
  detail::put_u32(out, m.exit_code);
  detail::put_u32(out, m.sys_errno);
  detail::put_string(out, m.message);
  return out;
}

template <>
BERTH_DECL result<guest_refused> decode_guest<guest_refused>(std::string_view payload) {
  detail::payload_reader read(payload);
  guest_refused m;
  m.exit_code = read.number(255);
  m.sys_errno = read.number(4095);
  m.message = read.string();
  return detail::checked(read, std::move(m), "refused");
}

BERTH_DECL std::string encode(const guest_rest& m) {
  std::string out;
  detail::put_u32(out, m.ms);
  return out;
}

template <>
BERTH_DECL result<guest_rest> decode_guest<guest_rest>(std::string_view payload) {
  detail::payload_reader read(payload);
  guest_rest m;
  m.ms = read.number(0x7fffffff);
  return detail::checked(read, m, "rest");
}

BERTH_DECL std::string encode(const guest_wake& m) {
  std::string out;
  detail::put_u32(out, m.restored ? (m.same ? 2 : 1) : 0);
  detail::put_string(out, m.address);
  detail::put_string(out, m.hostname);
  return out;
}

template <>
BERTH_DECL result<guest_wake> decode_guest<guest_wake>(std::string_view payload) {
  detail::payload_reader read(payload);
  guest_wake m;
  const std::uint32_t what = read.number(2);
  m.restored = what != 0;
  m.same = what == 2;
  m.address = read.c_string();
  m.hostname = read.c_string();
  return detail::checked(read, std::move(m), "wake");
}

}  // namespace berth

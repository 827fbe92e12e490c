// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/text.hpp>
#include <berth/readiness/http_response.hpp>

#include <algorithm>

namespace berth {

namespace detail {

inline char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline bool same_header_name(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (ascii_lower(a[i]) != lower[i]) return false;
  }
  return true;
}

inline std::string_view trim_blanks(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) s.remove_suffix(1);
  return s;
}

}  // namespace detail

BERTH_DECL http_response_reader::progress http_response_reader::append(std::string_view data) {
  if (data.size() > max_bytes - total_) return progress::too_big;
  total_ += data.size();
  raw_.append(data);
  return in_body_ ? read_body() : read_head();
}

BERTH_DECL http_response_reader::progress http_response_reader::finish() {
  return in_body_ && framing_ == framing::until_close ? progress::complete : progress::malformed;
}

BERTH_DECL http_response_reader::progress http_response_reader::read_head() {
  // "HTTP/1.x NNN", checked as soon as it is there, so that a peer that speaks something else is found out at once.
  constexpr std::string_view start = "HTTP/1.";
  const auto common = std::min(raw_.size(), start.size());
  if (raw_.compare(0, common, start.substr(0, common)) != 0) return progress::malformed;
  const auto end = raw_.find("\r\n\r\n");
  if (end == std::string::npos) return progress::more;
  const std::string_view head = std::string_view(raw_).substr(0, end);

  const auto code = head.size() < 12 ? std::nullopt : parse_number<std::uint64_t>(head.substr(9, 3));
  if (!code || head[8] != ' ' || *code < 100 || (head.size() > 12 && head[12] != ' ' && head[12] != '\r')) {
    return progress::malformed;
  }
  bool has_length = false;
  for (auto at = head.find("\r\n"); at != std::string_view::npos;) {
    const auto next = head.find("\r\n", at + 2);
    const auto line = head.substr(at + 2, next == std::string_view::npos ? next : next - at - 2);
    at = next;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return progress::malformed;
    const auto value = detail::trim_blanks(line.substr(colon + 1));
    if (detail::same_header_name(line.substr(0, colon), "content-length")) {
      const auto length = parse_number<std::uint64_t>(value);
      if (!length) return progress::malformed;
      length_ = *length;
      has_length = true;
    } else if (detail::same_header_name(line.substr(0, colon), "transfer-encoding")) {
      if (!detail::same_header_name(value, "chunked")) return progress::malformed;
      framing_ = framing::chunked;
    }
  }
  if (framing_ != framing::chunked && has_length) framing_ = framing::length;
  if (code == 204 || code == 304) {
    framing_ = framing::length;
    length_ = 0;
  }
  raw_.erase(0, end + 4);
  if (*code < 200) {  // an interim answer: the real one follows
    framing_ = framing::until_close;
    return raw_.empty() ? progress::more : read_head();
  }
  status_ = static_cast<int>(*code);
  in_body_ = true;
  return want_body_ ? read_body() : progress::complete;
}

BERTH_DECL http_response_reader::progress http_response_reader::read_body() {
  switch (framing_) {
    case framing::length:
      if (length_ > max_bytes) return progress::too_big;
      if (raw_.size() < length_) return progress::more;
      body_.assign(raw_, 0, static_cast<std::size_t>(length_));
      return progress::complete;
    case framing::chunked: return read_chunks();
    case framing::until_close:
      body_ += raw_;
      raw_.clear();
      return progress::more;
  }
  return progress::malformed;
}

BERTH_DECL http_response_reader::progress http_response_reader::read_chunks() {
  while (true) {
    const auto line_end = raw_.find("\r\n");
    if (line_end == std::string::npos) return raw_.size() > 1024 ? progress::malformed : progress::more;
    const auto digits = detail::trim_blanks(std::string_view(raw_).substr(0, std::min(line_end, raw_.find(';'))));
    const auto parsed = parse_number<std::uint64_t>(digits, 16);
    if (!parsed) return progress::malformed;
    const std::uint64_t size = *parsed;
    if (size == 0) return progress::complete;  // what trailers may follow does not matter
    if (size > max_bytes) return progress::too_big;
    const std::size_t data = line_end + 2;
    if (raw_.size() < data + size + 2) return progress::more;
    if (raw_.compare(data + size, 2, "\r\n") != 0) return progress::malformed;
    body_.append(raw_, data, static_cast<std::size_t>(size));
    raw_.erase(0, data + static_cast<std::size_t>(size) + 2);
  }
}

}  // namespace berth

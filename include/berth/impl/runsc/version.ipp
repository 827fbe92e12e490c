// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/runsc/version.hpp>

#include <algorithm>

namespace berth {
namespace detail {

inline bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// The number of up to nine digits at the start of `text`.
inline std::uint32_t leading_number(std::string_view text) noexcept {
  std::uint32_t n = 0;
  for (std::size_t i = 0; i < text.size() && i < 9 && is_digit(text[i]); ++i)
    n = n * 10 + static_cast<std::uint32_t>(text[i] - '0');
  return n;
}

inline bool is_release_date(std::uint32_t date) noexcept {
  const std::uint32_t year = date / 10000, month = date / 100 % 100, day = date % 100;
  return year >= 2018 && year < 2100 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

}  // namespace detail

BERTH_DECL runsc_version parse_runsc_version(std::string_view text) {
  runsc_version version;
  version.text = text;
  // "release-20260701.0", "0.0~20240729.0" (Debian), "v0.0.0-20260701204157-69c2d17aea96" (a Go module's date and time).
  for (std::size_t i = 0; i < text.size();) {
    if (!detail::is_digit(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && detail::is_digit(text[end])) ++end;
    const std::size_t length = end - i;
    if (length == 8 || length == 14) {
      const std::uint32_t date = detail::leading_number(text.substr(i, 8));
      if (detail::is_release_date(date)) {
        version.date = date;
        if (length == 8 && end + 1 < text.size() && text[end] == '.')
          version.point = detail::leading_number(text.substr(end + 1));
        return version;
      }
    }
    i = end;
  }
  return version;
}

BERTH_DECL result<runsc_version> parse_runsc_version_output(std::string_view output) {
  constexpr std::string_view prefix = "runsc version ";
  for (std::size_t at = 0; at < output.size();) {
    const std::size_t end = std::min(output.find('\n', at), output.size());
    std::string_view line = output.substr(at, end - at);
    at = end + 1;
    if (line.substr(0, prefix.size()) != prefix) continue;
    line.remove_prefix(prefix.size());
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    if (!line.empty() && line.size() <= 256) return parse_runsc_version(line);
  }
  return make_error(errc::runsc_output, "runsc", "no \"runsc version\" line in what `runsc --version` printed", {},
                    "check that the program is gVisor's runsc");
}

}  // namespace berth

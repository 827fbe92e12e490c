// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/spec/byte_size.hpp>

#include <charconv>
#include <string>

namespace berth {

BERTH_DECL result<std::uint64_t> parse_byte_size(std::string_view text) {
  const auto refuse = [&](const char* why, std::string hint) {
    return make_error(errc::invalid, "spec", why + std::string(text.substr(0, 64)), {}, std::move(hint));
  };
  const auto no_size = [&] { return refuse("not a size: ", "write it as 512Mi, 2Gi, 2g or a number of bytes"); };
  std::uint64_t n = 0;
  const char* const end = text.data() + text.size();
  const auto [unit, bad] = std::from_chars(text.data(), end, n);
  if (bad != std::errc()) return no_size();
  struct scale {
    std::string_view suffix;
    unsigned shift;         ///< the power of two
    std::uint64_t decimal;  ///< what Kubernetes takes it for, where Docker takes the same letters for the power of two
  };
  static constexpr scale scales[] = {
      {"", 0, 0},         {"b", 0, 0},           {"Ki", 10, 0},
      {"Mi", 20, 0},      {"Gi", 30, 0},         {"Ti", 40, 0},
      {"KiB", 10, 0},     {"MiB", 20, 0},        {"GiB", 30, 0},
      {"TiB", 40, 0},     {"m", 20, 0},          {"g", 30, 0},
      {"t", 40, 0},       {"k", 10, 1000},       {"K", 10, 1000},
      {"M", 20, 1000000}, {"G", 30, 1000000000}, {"T", 40, 1000000000000},
  };
  const std::string_view suffix(unit, static_cast<std::size_t>(end - unit));
  for (const scale& s : scales) {
    if (s.suffix != suffix) continue;
    std::uint64_t bytes = 0, decimal = 0;
    if (n == 0 || __builtin_mul_overflow(n, std::uint64_t{1} << s.shift, &bytes) ||
        bytes > static_cast<std::uint64_t>(INT64_MAX))
      return refuse("a size from 1 byte to 2^63-1 is needed, not ", "write it as 512Mi, 2Gi, 2g or a number of bytes");
    if (s.decimal == 0) return bytes;
    (void)__builtin_mul_overflow(n, s.decimal, &decimal);  // less than the power of two, which fits
    const char binary[] = {static_cast<char>(*s.suffix.data() & ~0x20), 'i', '\0'};
    return refuse("powers of 1024 to Docker, of 1000 to Kubernetes: ",
                  "write " + std::to_string(n) + binary + ", or " + std::to_string(decimal) + " for powers of 1000");
  }
  return no_size();
}

}  // namespace berth

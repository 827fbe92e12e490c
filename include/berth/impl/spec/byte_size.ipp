#pragma once

#include <berth/spec/byte_size.hpp>

#include <charconv>
#include <string>

namespace berth {

BERTH_DECL result<std::uint64_t> parse_byte_size(std::string_view text) {
  const auto refuse = [&] {
    return make_error(errc::invalid, "spec", "not a size: " + std::string(text.substr(0, 64)), {},
                      "write it as 512Mi, 2Gi or 1500M");
  };
  std::uint64_t n = 0;
  const char* const end = text.data() + text.size();
  const auto [unit, bad] = std::from_chars(text.data(), end, n);
  if (bad != std::errc()) return refuse();
  struct scale {
    std::string_view suffix;
    std::uint64_t factor;
  };
  static constexpr scale scales[] = {
      {"", 1},          {"Ki", 1ull << 10}, {"Mi", 1ull << 20},  {"Gi", 1ull << 30},     {"Ti", 1ull << 40},
      {"k", 1000},      {"K", 1000},        {"M", 1000000},      {"G", 1000000000},      {"T", 1000000000000ull},
  };
  const std::string_view suffix(unit, static_cast<std::size_t>(end - unit));
  for (const scale& s : scales) {
    if (s.suffix != suffix) continue;
    std::uint64_t bytes = 0;
    if (n == 0 || __builtin_mul_overflow(n, s.factor, &bytes) || bytes > static_cast<std::uint64_t>(INT64_MAX))
      return refuse();
    return bytes;
  }
  return refuse();
}

}  // namespace berth

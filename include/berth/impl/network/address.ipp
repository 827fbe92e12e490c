// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/hints.hpp>
#include <berth/base/text.hpp>
#include <berth/network/address.hpp>

#include <algorithm>

namespace berth {

BERTH_DECL std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  std::uint32_t value = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (text.empty() || text.front() != '.') return std::nullopt;
      text.remove_prefix(1);
    }
    std::size_t digits = 0;
    unsigned octet = 0;
    while (digits < text.size() && digits < 4 && text[digits] >= '0' && text[digits] <= '9') {
      octet = octet * 10 + static_cast<unsigned>(text[digits++] - '0');
    }
    if (digits == 0 || octet > 255 || (digits > 1 && text.front() == '0')) return std::nullopt;
    text.remove_prefix(digits);
    value = value << 8 | octet;
  }
  if (!text.empty()) return std::nullopt;
  return value;
}

BERTH_DECL std::string format_ipv4(std::uint32_t address) {
  return std::to_string(address >> 24) + '.' + std::to_string(address >> 16 & 255) + '.' +
         std::to_string(address >> 8 & 255) + '.' + std::to_string(address & 255);
}

BERTH_DECL std::string ipv4_subnet::host(std::uint32_t n) const { return format_ipv4(address + n); }

BERTH_DECL std::string ipv4_subnet::to_string() const { return format_ipv4(address) + '/' + std::to_string(prefix); }

BERTH_DECL result<ipv4_subnet> parse_ipv4_subnet(std::string_view text) {
  const auto refuse = [&](const char* why) {
    return make_error(errc::invalid, "network", std::string("not an IPv4 subnet: ") + why, std::string(text),
                      "write it as 10.211.0.0/16");
  };
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return refuse("no prefix length");
  const auto address = parse_ipv4(text.substr(0, slash));
  if (!address) return refuse("malformed address");
  const std::string_view tail = text.substr(slash + 1);
  const auto prefix = parse_number<int>(tail);
  if (!prefix || *prefix < 0 || *prefix > 32) return refuse("malformed prefix length");
  const ipv4_subnet subnet{*address, *prefix};
  if ((subnet.address & ~subnet.mask()) != 0) return refuse("bits behind the prefix are set");
  return subnet;
}

namespace detail {

/// The first /30 from `next` on, which is a multiple of 4, or `end` and more. 64 bits, so that a pool that ends at
/// 255.255.255.255 does not wrap. `used` is sorted by address.
inline std::uint64_t first_free(std::uint64_t next, const std::vector<ipv4_subnet>& used) {
  for (const ipv4_subnet& taken : used) {
    const std::uint64_t first = taken.address;
    const std::uint64_t last = first + (std::uint64_t{1} << (32 - taken.prefix));
    if (first >= next + 4) break;  // the gap before it holds a /30
    if (last > next) next = (last + 3) & ~std::uint64_t{3};
  }
  return next;
}

}  // namespace detail

BERTH_DECL result<ipv4_subnet> allocate_subnet(const ipv4_subnet& pool, std::vector<ipv4_subnet> used,
                                               std::optional<std::uint32_t> last) {
  if (pool.prefix > 30) {
    return make_error(errc::invalid, "network", "the address pool is smaller than a /30", pool.to_string());
  }
  std::sort(used.begin(), used.end(), [](const ipv4_subnet& a, const ipv4_subnet& b) { return a.address < b.address; });
  const std::uint64_t end = std::uint64_t{pool.address} + (std::uint64_t{1} << (32 - pool.prefix));
  std::uint64_t next = end;
  if (last && pool.contains(*last)) next = detail::first_free((std::uint64_t{*last} & ~std::uint64_t{3}) + 4, used);
  if (next + 4 > end) next = detail::first_free(pool.address, used);
  if (next + 4 > end) {
    return make_error(errc::again, "network", "every subnet of the address pool is in use", pool.to_string(),
                      "remove sandboxes, " + hints::collect_garbage() + ", or configure a larger pool");
  }
  return ipv4_subnet{static_cast<std::uint32_t>(next), 30};
}

}  // namespace berth

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/text.hpp>
#include <berth/base/visible_text.hpp>
#include <berth/managed/ports.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace berth {
namespace detail {

inline constexpr std::size_t most_containers = 4096, most_ports_of_one = 4096;

// The part before `mark`, which is taken off with it; all of it where there is none.
inline std::string_view take_until(std::string_view& text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  const std::string_view part = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + mark.size());
  return part;
}

// "80" or "80-81".
inline std::optional<std::pair<unsigned, unsigned>> read_port_range(std::string_view text) {
  const auto first = parse_number<std::uint16_t>(take_until(text, "-"));
  const auto last = text.empty() ? first : parse_number<std::uint16_t>(text);
  if (!first || !last || *last < *first) return {};
  return std::pair<unsigned, unsigned>(*first, *last);
}

// "0.0.0.0:8080->80/tcp"; what is not published has no arrow.
inline void add_ports(std::vector<std::string>& to, std::string_view entry) {
  const std::size_t arrow = entry.find("->");
  if (arrow == std::string_view::npos) return;
  const std::string_view outer = entry.substr(0, arrow);
  std::string_view rest = entry.substr(arrow + 2);
  const auto inside = read_port_range(take_until(rest, "/"));
  const std::size_t colon = outer.rfind(':');
  if (colon == std::string_view::npos || !inside || (rest != "tcp" && rest != "udp" && rest != "sctp")) return;
  const auto outside = read_port_range(outer.substr(colon + 1));
  if (!outside || outside->second - outside->first != inside->second - inside->first) return;
  std::string address;
  append_shown(address, outer.substr(0, colon));
  // Docker before release 28 writes IPv6 addresses without brackets.
  if (address.find(':') != std::string::npos && address.front() != '[') address = "[" + address + "]";
  for (unsigned i = 0; i <= inside->second - inside->first && to.size() < most_ports_of_one; ++i) {
    to.push_back(address + ":" + std::to_string(outside->first + i) + ":" + std::to_string(inside->first + i) + "/" +
                 std::string(rest));
  }
}

}  // namespace detail

BERTH_DECL std::vector<container_ports> parse_container_ports(std::string_view text) {
  std::vector<container_ports> out;
  while (!text.empty() && out.size() < detail::most_containers) {
    std::string_view line = detail::take_until(text, "\n");
    container_ports one;
    append_shown(one.container, detail::take_until(line, "\t"));
    append_shown(one.name, detail::take_until(line, "\t"));
    while (!line.empty()) detail::add_ports(one.ports, detail::take_until(line, ", "));
    if (!one.ports.empty()) out.push_back(std::move(one));
  }
  return out;
}

BERTH_DECL void write_json(json_writer& to, const sandbox_ports& ports) {
  to.open_object().key("ports").open_array();
  for (const published_port& port : ports.published) to.string(port.word());
  to.close_array().key("containers").open_array();
  for (const container_ports& one : ports.containers) {
    to.open_object().key("container").string(one.container).key("name").string(one.name).key("ports").open_array();
    for (const std::string& port : one.ports) to.string(port);
    to.close_array().close_object();
  }
  to.close_array().close_object();
}

}  // namespace berth

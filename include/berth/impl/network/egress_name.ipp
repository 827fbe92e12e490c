// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/text.hpp>
#include <berth/network/address.hpp>
#include <berth/network/egress_name.hpp>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

namespace berth {

namespace detail {

inline std::string_view egress_protocol_word(egress_protocol protocol) noexcept {
  switch (protocol) {
    case egress_protocol::any: break;
    case egress_protocol::tcp: return "tcp";
    case egress_protocol::udp: return "udp";
  }
  return "";
}

/// ":443/tcp", as it stands behind an address or a name.
template <class Rule>
std::string egress_ports(const Rule& rule) {
  std::string text;
  if (rule.first_port != 0) text += ":" + std::to_string(rule.first_port);
  if (rule.last_port != rule.first_port) text += "-" + std::to_string(rule.last_port);
  if (rule.protocol != egress_protocol::any) text += "/" + std::string(egress_protocol_word(rule.protocol));
  return text;
}

template <class Rule>
bool has_egress_ports(const Rule& rule) {
  return rule.last_port >= rule.first_port && (rule.first_port != 0 || rule.last_port == 0) &&
         (rule.first_port == 0 || rule.protocol != egress_protocol::any);
}

/// The match of a packet to `place`, an address or a set. What comes back has the same in its source.
template <class Rule>
std::string egress_match(const Rule& rule, const std::string& place, bool answer) {
  std::string text = std::string("ip ") + (answer ? "saddr " : "daddr ") + place;
  const std::string protocol(egress_protocol_word(rule.protocol));
  if (rule.first_port != 0) {
    text += " " + protocol + (answer ? " sport " : " dport ") + std::to_string(rule.first_port);
    if (rule.last_port != rule.first_port) text += "-" + std::to_string(rule.last_port);
  } else if (!protocol.empty()) {
    text += " meta l4proto " + protocol;
  }
  return text;
}

/// What is wrong with a name, if anything is.
inline std::string_view wrong_name(std::string_view name) {
  if (name.size() > 253) return "is longer than a name may be";
  if (name.find('.') == std::string_view::npos) return "has no dot, and is no whole name";
  bool digits = false;
  for (;;) {
    const std::string_view label = name.substr(0, name.find('.'));
    if (label.empty()) return "has two dots side by side, or one at its beginning";
    if (label.size() > 63) return "has a part that is longer than 63 characters";
    if (label.front() == '-' || label.back() == '-') return "has a part that begins or ends with a hyphen";
    for (const char c : label)
      if (c != '-' && (!is_word_character(c) || (c >= 'A' && c <= 'Z')))
        return static_cast<unsigned char>(c) >= 0x80 ? "is not in ASCII" : "has a character that no name has";
    digits = label.find_first_not_of("0123456789") == std::string_view::npos;
    if (label.size() == name.size()) break;
    name.remove_prefix(label.size() + 1);
  }
  return digits ? "ends with a number" : "";
}

inline std::string egress_set_name(std::string_view kind, const egress_name& rule) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : rule.to_string()) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::string text(kind);
  for (int shift = 56; shift >= 0; shift -= 8) append_hex(text, static_cast<unsigned char>(hash >> shift & 255));
  return text;
}

/// nft's "59m59s948ms", in whole seconds.
inline std::optional<std::chrono::seconds> parse_nft_duration(std::string_view text) {
  std::chrono::milliseconds sum{0};
  while (!text.empty()) {
    const std::size_t digits = text.find_first_not_of("0123456789");
    if (digits == std::string_view::npos) return std::nullopt;
    const auto n = parse_number<std::int32_t>(text.substr(0, digits));
    const std::size_t end = std::min(text.find_first_of("0123456789", digits), text.size());
    const std::string_view unit = text.substr(digits, end - digits);
    if (!n) return std::nullopt;
    if (unit == "d") sum += std::chrono::hours(24) * *n;
    else if (unit == "h") sum += std::chrono::hours(*n);
    else if (unit == "m") sum += std::chrono::minutes(*n);
    else if (unit == "s") sum += std::chrono::seconds(*n);
    else if (unit == "ms") sum += std::chrono::milliseconds(*n);
    else return std::nullopt;
    text.remove_prefix(end);
  }
  return std::chrono::duration_cast<std::chrono::seconds>(sum);
}

/// The elements of a set in `nft list table`, each as nft writes it.
inline std::vector<std::string_view> nft_elements_of(std::string_view table, std::string_view set) {
  std::vector<std::string_view> out;
  const std::size_t begin = table.find("set " + std::string(set) + " {");
  if (begin == std::string_view::npos) return out;
  table.remove_prefix(begin);
  constexpr std::string_view before = "elements = {";
  const std::size_t elements = table.find(before);
  if (elements == std::string_view::npos || elements > table.find('}')) return out;
  table.remove_prefix(elements + before.size());
  table = table.substr(0, table.find('}'));
  while (!table.empty()) {
    const std::size_t comma = std::min(table.find(','), table.size());
    out.push_back(table.substr(0, comma));
    table.remove_prefix(std::min(comma + 1, table.size()));
  }
  return out;
}

/// `192.0.2.7 timeout 5m expires 4m59s948ms comment "www.example.com"`
inline std::optional<named_address> parse_named_address(std::string_view text) {
  std::istringstream words{std::string(text)};
  named_address out;
  std::string word;
  if (!(words >> out.address) || !parse_ipv4(out.address)) return std::nullopt;
  while (words >> word) {
    if (word == "expires" && words >> word) out.left = parse_nft_duration(word).value_or(out.left);
    if (word == "comment" && words >> word && word.size() > 2) out.name = word.substr(1, word.size() - 2);
  }
  return out;
}

}  // namespace detail

BERTH_DECL std::string egress_name::to_string() const {
  return (below ? "*." : "") + name + detail::egress_ports(*this);
}

BERTH_DECL bool egress_name::matches(std::string_view asked) const {
  if (!below) return asked == name;
  return asked.size() > name.size() + 1 && asked.ends_with(name) && asked[asked.size() - name.size() - 1] == '.';
}

BERTH_DECL std::string egress_name::fresh_set() const { return detail::egress_set_name("n_", *this); }
BERTH_DECL std::string egress_name::open_set() const { return detail::egress_set_name("o_", *this); }

BERTH_DECL std::vector<named_address> parse_named_addresses(std::string_view table,
                                                            const std::vector<egress_name>& rules) {
  std::vector<named_address> out;
  for (const egress_name& rule : rules)
    for (const std::string_view element : detail::nft_elements_of(table, rule.fresh_set())) {
      auto one = detail::parse_named_address(element);
      if (!one) continue;
      one->rule = rule.to_string();
      out.push_back(std::move(*one));
    }
  return out;
}

}  // namespace berth

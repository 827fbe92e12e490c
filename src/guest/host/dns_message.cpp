// SPDX-License-Identifier: Apache-2.0
#include "dns_message.hpp"

#include <algorithm>

namespace berth::guest {
namespace {

constexpr std::size_t header_size = 12;
constexpr std::size_t longest_name = 255;  // with the lengths of its labels
constexpr std::size_t most_records = 512;
constexpr std::size_t most_aliases = 16;
constexpr std::uint16_t type_cname = 5, class_in = 1;
constexpr std::uint8_t flag_answer = 0x80, flag_wants_recursion = 0x01, flag_cut = 0x02,
                       flags_operation = 0x78;     // of the third byte
constexpr std::uint8_t flag_has_recursion = 0x80;  // of the fourth

std::uint8_t byte_at(std::string_view m, std::size_t at) { return static_cast<std::uint8_t>(m[at]); }
std::uint16_t two_at(std::string_view m, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(m, at) << 8 | byte_at(m, at + 1));
}
std::uint32_t four_at(std::string_view m, std::size_t at) {
  return std::uint32_t{two_at(m, at)} << 16 | two_at(m, at + 2);
}
void add_two(std::string& to, std::size_t value) {
  to += static_cast<char>(value >> 8 & 255);
  to += static_cast<char>(value & 255);
}
void add_four(std::string& to, std::uint32_t value) {
  add_two(to, value >> 16);
  add_two(to, value & 0xffff);
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The name at `at`, as labels with their lengths, in lower case; `at` is behind it then. A pointer leads backward only, so that
// none leads in a circle.
std::optional<std::string> read_name(std::string_view m, std::size_t& at) {
  std::string name;
  std::size_t here = at, before = at;
  bool followed = false;
  for (;;) {
    if (here >= m.size()) return std::nullopt;
    const std::uint8_t length = byte_at(m, here);
    if (length >= 0xc0) {
      if (here + 2 > m.size()) return std::nullopt;
      const std::size_t to = two_at(m, here) & 0x3fff;
      if (!followed) at = here + 2;
      followed = true;
      if (to >= before) return std::nullopt;
      before = here = to;
      continue;
    }
    if (length > 63 || here + 1 + length > m.size() || name.size() + 1 + length > longest_name) return std::nullopt;
    for (std::size_t i = 0; i <= length; ++i) name += i == 0 ? m[here] : lower(m[here + i]);
    here += 1u + length;
    if (length == 0) break;
  }
  if (!followed) at = here;
  return name;
}

std::string shown(std::string_view labels) {
  std::string text;
  for (std::size_t at = 0; at < labels.size() && labels[at] != 0; at += 1u + byte_at(labels, at)) {
    if (!text.empty()) text += '.';
    for (const char c : labels.substr(at + 1, byte_at(labels, at))) {
      const bool usual = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      text += usual ? c : '?';
    }
  }
  return text;
}

std::string header(std::uint16_t id, std::uint8_t third, std::uint8_t fourth, std::size_t answers) {
  std::string out;
  add_two(out, id);
  out += static_cast<char>(third);
  out += static_cast<char>(fourth);
  add_two(out, 1);
  add_two(out, answers);
  add_two(out, 0);
  add_two(out, 0);
  return out;
}

std::string answer_header(const dns_question& question, dns_code code, std::uint8_t more, std::size_t answers) {
  const std::uint8_t third =
      static_cast<std::uint8_t>(flag_answer | more | (question.recursion ? flag_wants_recursion : 0));
  return header(question.id, third, static_cast<std::uint8_t>(flag_has_recursion | static_cast<std::uint8_t>(code)),
                answers);
}

struct address_record {
  std::string owner;
  std::uint32_t seconds = 0, address = 0;
};
struct alias_record {
  std::string owner, target;
  std::uint32_t seconds = 0;
};

}  // namespace

std::optional<dns_question> read_question(std::string_view m) {
  if (m.size() < header_size || (byte_at(m, 2) & (flag_answer | flags_operation | flag_cut)) != 0 ||
      two_at(m, 4) != 1 || two_at(m, 6) != 0)
    return std::nullopt;
  std::size_t at = header_size;
  // There is nothing in front of it that a pointer could lead to but the header.
  for (std::size_t i = at; i < m.size() && m[i] != 0; i += 1u + byte_at(m, i))
    if (byte_at(m, i) > 63) return std::nullopt;
  const auto labels = read_name(m, at);
  if (!labels || at + 4 > m.size() || two_at(m, at + 2) != class_in) return std::nullopt;
  dns_question out;
  out.id = two_at(m, 0);
  out.recursion = (byte_at(m, 2) & flag_wants_recursion) != 0;
  out.type = two_at(m, at);
  out.name = shown(*labels);
  out.section = std::string(m.substr(header_size, at + 4 - header_size));
  return out;
}

std::string answer_to_nonsense(std::string_view m) {
  if (m.size() < header_size || (byte_at(m, 2) & flag_answer) != 0) return {};
  const dns_code code = (byte_at(m, 2) & flags_operation) != 0 ? dns_code::not_implemented : dns_code::format_error;
  std::string out(m.substr(0, 2));
  out += static_cast<char>(flag_answer | (byte_at(m, 2) & (flags_operation | flag_wants_recursion)));
  out += static_cast<char>(code);
  out.append(header_size - out.size(), '\0');
  return out;
}

std::string write_question(const dns_question& question, std::uint16_t id) {
  return header(id, flag_wants_recursion, 0, 0) + question.section;
}

bool answers(std::string_view m, const dns_question& question, std::uint16_t id) {
  if (m.size() < header_size + question.section.size() || two_at(m, 0) != id || two_at(m, 4) != 1) return false;
  if ((byte_at(m, 2) & (flag_answer | flags_operation)) != flag_answer) return false;
  const std::string_view echo = m.substr(header_size, question.section.size());
  // Some servers change the case of what they were asked.
  return std::equal(echo.begin(), echo.end(), question.section.begin(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

bool is_truncated(std::string_view m) { return (byte_at(m, 2) & flag_cut) != 0; }
dns_code code_of(std::string_view m) { return static_cast<dns_code>(byte_at(m, 3) & 15); }

std::optional<dns_found> read_found(std::string_view m, const dns_question& question) {
  std::size_t at = header_size;
  auto asked = read_name(m, at);
  if (!asked) return std::nullopt;
  at = header_size + question.section.size();
  const std::size_t count = two_at(m, 6);
  if (count > most_records) return std::nullopt;
  std::vector<address_record> addresses;
  std::vector<alias_record> aliases;
  for (std::size_t i = 0; i < count; ++i) {
    auto owner = read_name(m, at);
    if (!owner || at + 10 > m.size()) return std::nullopt;
    const std::uint16_t type = two_at(m, at), of = two_at(m, at + 2), length = two_at(m, at + 8);
    std::uint32_t seconds = four_at(m, at + 4);
    if (seconds > 0x7fffffff) seconds = 0;  // RFC 2181, 8
    at += 10;
    if (at + length > m.size()) return std::nullopt;
    if (of == class_in && type == dns_type_a) {
      if (length != 4) return std::nullopt;
      addresses.push_back({std::move(*owner), seconds, four_at(m, at)});
    } else if (of == class_in && type == type_cname) {
      std::size_t end = at;
      auto target = read_name(m, end);
      if (!target || end != at + length) return std::nullopt;
      aliases.push_back({std::move(*owner), std::move(*target), seconds});
    }
    at += length;
  }
  dns_found out;
  out.seconds = 0x7fffffff;
  std::string name = std::move(*asked);
  for (;;) {
    const auto next = std::find_if(aliases.begin(), aliases.end(), [&](const auto& a) { return a.owner == name; });
    if (next == aliases.end()) break;
    if (out.aliases.size() == most_aliases) return std::nullopt;
    out.seconds = std::min(out.seconds, next->seconds);
    out.aliases.push_back(next->target);
    name = next->target;
  }
  for (const address_record& one : addresses) {
    if (one.owner != name || out.addresses.size() == most_dns_addresses) continue;
    if (std::find(out.addresses.begin(), out.addresses.end(), one.address) != out.addresses.end()) continue;
    out.seconds = std::min(out.seconds, one.seconds);
    out.addresses.push_back(one.address);
  }
  return out;
}

std::string write_answer(const dns_question& question, dns_code code, const dns_found& found) {
  std::string out = answer_header(question, code, 0, found.aliases.size() + found.addresses.size());
  out += question.section;
  std::size_t owner = header_size;
  const auto begin = [&](std::uint16_t type, std::size_t length) {
    add_two(out, 0xc000 | owner);
    add_two(out, type);
    add_two(out, class_in);
    add_four(out, found.seconds);
    add_two(out, length);
  };
  for (const std::string& alias : found.aliases) {
    begin(type_cname, alias.size());
    owner = out.size();
    out += alias;
  }
  for (const std::uint32_t address : found.addresses) {
    begin(dns_type_a, 4);
    add_four(out, address);
  }
  return out;
}

std::string write_truncated(const dns_question& question) {
  return answer_header(question, dns_code::no_error, flag_cut, 0) + question.section;
}

std::string pass_on(std::string_view m, const dns_question& question) {
  std::string out;
  add_two(out, question.id);
  out += m.substr(2, header_size - 2);
  out += question.section;
  out += m.substr(header_size + question.section.size());
  return out;
}

}  // namespace berth::guest

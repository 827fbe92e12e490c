#include "json.hpp"

#include <charconv>
#include <cmath>

namespace berth::cli {
namespace {

// The length of the well-formed UTF-8 sequence at the start of `s`, or 0 (RFC 3629: no overlong forms, no surrogates).
std::size_t utf8_length(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  std::size_t length = 0;
  unsigned char low = 0x80, high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return 0;
  }
  if (s.size() < length || byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i)
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  return length;
}

void new_line(std::string& out, int indent, int depth) {
  if (indent == 0) return;
  out += '\n';
  out.append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(depth), ' ');
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  constexpr char hex[] = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    std::size_t taken = 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c < 0x20 || c == 0x7F) {
      out += "\\u00";
      out += hex[c >> 4];
      out += hex[c & 15];
    } else if (taken = utf8_length(text); taken == 0) {
      out += "\xEF\xBF\xBD";
      taken = 1;
    } else {
      out += text.substr(0, taken);
    }
    text.remove_prefix(taken);
  }
  out += '"';
}

json::json(double value) {
  if (!std::isfinite(value)) return;  // JSON has no other numbers: null
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  what_ = kind::literal;
  text_.assign(buffer, end);
}

json json::strings(const std::vector<std::string>& list) {
  json out = array();
  for (const std::string& s : list) out.push(s);
  return out;
}

json& json::set(std::string key, json value) & {
  for (auto& [name, member] : members_) {
    if (name == key) {
      member = std::move(value);
      return *this;
    }
  }
  members_.emplace_back(std::move(key), std::move(value));
  return *this;
}

json& json::push(json value) & {
  members_.emplace_back(std::string(), std::move(value));
  return *this;
}

std::string json::dump(int indent) const {
  std::string out;
  write(out, indent, 0);
  return out;
}

void json::write(std::string& out, int indent, int depth) const {
  switch (what_) {
    case kind::null: out += "null"; return;
    case kind::literal: out += text_; return;
    case kind::string: append_json_string(out, text_); return;
    case kind::object:
    case kind::array: break;
  }
  const bool object = what_ == kind::object;
  out += object ? '{' : '[';
  bool first = true;
  for (const auto& [key, value] : members_) {
    if (!first) out += ',';
    first = false;
    new_line(out, indent, depth + 1);
    if (object) {
      append_json_string(out, key);
      out += indent == 0 ? ":" : ": ";
    }
    value.write(out, indent, depth + 1);
  }
  if (!first) new_line(out, indent, depth);
  out += object ? '}' : ']';
}

}  // namespace berth::cli

// SPDX-License-Identifier: Apache-2.0
#include "json.hpp"

#include <berth/base/json_string.hpp>

#include <charconv>
#include <cmath>

namespace berth::cli {
namespace {

void new_line(std::string& out, int indent, int depth) {
  if (indent == 0) return;
  out += '\n';
  out.append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(depth), ' ');
}

}  // namespace

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

// SPDX-License-Identifier: Apache-2.0
// Any text as a JSON string, for what berth prints. The spec has a writer of its own, for text that was checked.
#pragma once

#include <berth/base/text.hpp>
#include <berth/base/utf8.hpp>

#include <string>
#include <string_view>

namespace berth {

/// Appends `text` in quotes. Bytes that are not UTF-8 become U+FFFD; control characters, DEL too, are escaped, so that
/// no text of a sandbox's drives the terminal that the JSON is printed on.
inline void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += "\\u00";
      append_hex(out, static_cast<unsigned char>(c));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

}  // namespace berth

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/spec/detail/scan.hpp>
#include <berth/spec/detail/schema.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace berth::detail {

/// A key that runtime-spec does not name, as it stands in the text (`raw`), remembered until its object ends.
struct scan_key {
  const char* raw;
  std::uint32_t length;
  bool escaped;
};

/// Appends the character that the escape after the backslash at `p` stands for, and returns the byte behind it. The
/// text has been checked: every escape is whole, and surrogates come in pairs.
inline const char* append_escape(std::string& out, const char* p) {
  const auto hex4 = [](const char* at) {
    unsigned v = 0;
    for (int i = 0; i < 4; ++i) {
      const unsigned c = static_cast<unsigned char>(at[i]);
      v = v << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return v;
  };
  switch (*p) {
    case 'b': out += '\b'; return p + 1;
    case 'f': out += '\f'; return p + 1;
    case 'n': out += '\n'; return p + 1;
    case 'r': out += '\r'; return p + 1;
    case 't': out += '\t'; return p + 1;
    case 'u': break;
    default: out += *p; return p + 1;
  }
  unsigned rune = hex4(p + 1);
  p += 5;
  if (rune >= 0xd800 && rune < 0xdc00) {
    rune = 0x10000 + ((rune - 0xd800) << 10) + (hex4(p + 2) - 0xdc00);
    p += 6;
  }
  if (rune < 0x80) {
    out += static_cast<char>(rune);
  } else if (rune < 0x800) {
    out += static_cast<char>(0xc0 | rune >> 6);
    out += static_cast<char>(0x80 | (rune & 0x3f));
  } else if (rune < 0x10000) {
    out += static_cast<char>(0xe0 | rune >> 12);
    out += static_cast<char>(0x80 | (rune >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (rune & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | rune >> 18);
    out += static_cast<char>(0x80 | (rune >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (rune >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (rune & 0x3f));
  }
  return p;
}

/// What the source text of a string, checked and without its quotes, stands for.
inline std::string unescape(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (const char *p = raw.data(), *end = p + raw.size(); p != end;) {
    if (*p == '\\') {
      p = append_escape(out, p + 1);
    } else {
      out += *p++;
    }
  }
  return out;
}

/// Folds as Go's encoding/json does when it matches a key with a struct field: ASCII letters, and the two runes outside
/// ASCII that fold into it, U+017F (long s) and U+212A (kelvin). Field names are ASCII, so no other rune can match one.
inline std::string fold_key(std::string_view key) {
  std::string out;
  out.reserve(key.size());
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char c = key[i];
    if (c >= 'A' && c <= 'Z') {
      out += static_cast<char>(c | 0x20);
    } else if (key.substr(i, 2) == "\xc5\xbf") {
      out += 's';
      ++i;
    } else if (key.substr(i, 3) == "\xe2\x84\xaa") {
      out += 'k';
      i += 2;
    } else {
      out += c;
    }
  }
  return out;
}

inline std::string key_text(const scan_key& key) {
  const std::string_view raw(key.raw, key.length);
  return key.escaped ? unescape(raw) : std::string(raw);
}

/// The field of `node` that Go would put `key` into, or null.
inline const schema_field* folded_field(const schema_node& node, std::string_view key) {
  const std::string folded = fold_key(key);
  for (std::size_t i = 0; i < node.field_count; ++i) {
    const std::string_view name = node.fields[i].name;
    if (name.size() != folded.size()) continue;
    bool same = true;
    for (std::size_t c = 0; same && c < name.size(); ++c) {
      const char n = name[c];
      same = (n >= 'A' && n <= 'Z' ? static_cast<char>(n | 0x20) : n) == folded[c];
    }
    if (same) return &node.fields[i];
  }
  return nullptr;
}

/// True when the key is ASCII without escapes, so that it can be compared as it stands.
inline bool is_plain_key(const scan_key& key) {
  return !key.escaped &&
         std::all_of(key.raw, key.raw + key.length, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

inline bool same_plain_key(const scan_key& a, const scan_key& b, bool fold) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  if (!fold) return std::memcmp(a.raw, b.raw, a.length) == 0;
  return std::equal(a.raw, a.raw + a.length, b.raw, [&](char x, char y) { return lower(x) == lower(y); });
}

/// Finds two equal keys among `count` at `keys`: exactly, or with `fold` but for their case too. Returns the later of
/// the two, or null. A handful is compared pair by pair; more are sorted, so that no choice of keys makes it quadratic.
inline const scan_key* duplicate_key(const scan_key* keys, std::size_t count, bool fold) {
  if (count < 2) return nullptr;
  if (count <= 8 && std::all_of(keys, keys + count, is_plain_key)) {
    for (std::size_t i = 1; i < count; ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (keys[i].length == keys[j].length && same_plain_key(keys[i], keys[j], fold)) return &keys[i];
    return nullptr;
  }
  struct entry {
    std::string text;
    std::size_t index;
  };
  std::vector<entry> sorted;
  sorted.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::string text = key_text(keys[i]);
    if (fold) text = fold_key(text);
    sorted.push_back({std::move(text), i});
  }
  std::sort(sorted.begin(), sorted.end(), [](const entry& a, const entry& b) {
    const int order = a.text.compare(b.text);
    return order != 0 ? order < 0 : a.index < b.index;
  });
  const scan_key* first = nullptr;
  for (std::size_t i = 1; i < count; ++i)
    if (sorted[i].text == sorted[i - 1].text) {
      const scan_key* later = &keys[sorted[i].index];
      if (first == nullptr || later < first) first = later;
    }
  return first;
}

}  // namespace berth::detail

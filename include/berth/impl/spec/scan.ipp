// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/impl/spec/scan_keys.ipp>
#include <berth/impl/spec/schema_table.ipp>
#include <berth/impl/spec/text_checks.ipp>
#include <berth/spec/detail/scan.hpp>

#include <cstring>
#include <string>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace berth::detail {

inline constexpr schema_node node_unknown{};

/// Where the scan's findings go when nothing is to be made of them.
struct no_events {
  void null() {}
  void boolean(bool) {}
  void number(std::string_view) {}
  void string(std::string_view, bool) {}  ///< as in the source; true: with escapes
  void key(std::string_view, bool) {}
  void begin_object() {}
  void end_object(std::uint32_t) {}
  void begin_array() {}
  void end_array(std::uint32_t) {}
};

/// Checks, and tells `Events` of each value once it has been checked. What is told before an error is void.
template <class Events>
class scanner {
 public:
  scanner(const char* text, std::size_t size, Events& events)
      : begin_(text), p_(text), end_(text + size), events_(events) {}

  result<void> run() {
    skip_blank();
    if (p_ == end_) return failure(errc::spec_syntax, "the spec is empty", nullptr, "give an OCI config.json");
    if (*p_ != '{') {
      if (!value(node_unknown, nullptr, 1)) return std::move(error_);
      return failure(errc::spec_type, "a spec is a JSON object", nullptr, "give an OCI config.json");
    }
    if (!object(node_Spec, nullptr, 1)) return std::move(error_);
    skip_blank();
    if (p_ != end_)
      return failure(errc::spec_syntax, "there is text after the end of the spec", nullptr, "keep one JSON document");
    return {};
  }

 private:
  /// Where the scan is: a key or an index in the container above. Lives on the stack; read only when something is wrong.
  struct where {
    const where* up;
    scan_key key;  // key.raw is null for an array's element
    std::uint32_t index;
  };

  struct span {
    const char* text;
    std::uint32_t length;
    bool escaped;
  };

  std::string pointer(const where* at) const {
    if (at == nullptr) return {};
    std::string out = pointer(at->up);  // no deeper than spec_max_depth
    out += '/';
    if (at->key.raw == nullptr) return out + std::to_string(at->index);
    for (char c : key_text(at->key)) {
      if (c == '~') {
        out += "~0";
      } else if (c == '/') {
        out += "~1";
      } else {
        out += c;
      }
    }
    return out;
  }

  error failure(errc code, std::string message, const where* at, std::string hint) const {
    if (code == errc::spec_syntax) message += " at byte " + std::to_string(p_ - begin_);
    return make_error(code, "spec", std::move(message), pointer(at), std::move(hint));
  }

  [[gnu::cold, gnu::noinline]] bool fail(errc code, const char* message, const where* at, const char* hint) {
    error_ = failure(code, message, at, hint);
    return false;
  }

  bool bad_syntax(const char* message, const where* at) {
    return fail(errc::spec_syntax, message, at, "give JSON as RFC 8259 has it");
  }

  bool bad_type(const schema_node& node, const where* at) {
    const char* message = "the value has the wrong type";
    const char* hint = "see the field in the OCI runtime-spec";
    switch (node.kind) {
      case schema_kind::string:
      case schema_kind::cwd:
      case schema_kind::destination: hint = "give a string"; break;
      case schema_kind::boolean: hint = "give true or false"; break;
      case schema_kind::i32:
      case schema_kind::i64:
      case schema_kind::u16:
      case schema_kind::u32:
      case schema_kind::u64: hint = "give a whole number, without fraction, exponent or quotes"; break;
      case schema_kind::object:
      case schema_kind::map: hint = "give an object"; break;
      case schema_kind::array: hint = "give an array"; break;
      case schema_kind::unknown:
      case schema_kind::any: break;
    }
    return fail(errc::spec_type, message, at, hint);
  }

  static bool open(const schema_node& node) { return node.kind <= schema_kind::any; }

  void skip_blank() {
    // Written without blanks, or with a newline and an indentation: both ends are one comparison a byte.
    while (*p_ == ' ' || *p_ == '\n' || *p_ == '\t' || *p_ == '\r') ++p_;
  }

  bool value(const schema_node& node, const where* at, int depth) {
    switch (*p_) {
      case '"': return string_value(node, at);
      case '{':
        if (node.kind != schema_kind::object && node.kind != schema_kind::map && !open(node)) return bad_type(node, at);
        return object(node, at, depth);
      case '[':
        if (node.kind != schema_kind::array && !open(node)) return bad_type(node, at);
        return array(node, at, depth);
      case 't':
        if (std::memcmp(p_, "true", 4) != 0) return bad_syntax("not a JSON value", at);
        if (node.kind != schema_kind::boolean && !open(node)) return bad_type(node, at);
        p_ += 4;
        events_.boolean(true);
        return true;
      case 'f':
        if (std::memcmp(p_, "false", 5) != 0) return bad_syntax("not a JSON value", at);
        if (node.kind != schema_kind::boolean && !open(node)) return bad_type(node, at);
        p_ += 5;
        events_.boolean(false);
        return true;
      case 'n':
        if (std::memcmp(p_, "null", 4) != 0) return bad_syntax("not a JSON value", at);
        // Go reads null as "not set". In a list or a map that would make an empty element of it, never what is meant.
        if (!open(node) && at != nullptr && (at->key.raw == nullptr || in_map_)) return bad_type(node, at);
        p_ += 4;
        events_.null();
        return true;
      default:
        if (*p_ == '-' || (*p_ >= '0' && *p_ <= '9')) return number(node, at);
        if (p_ == end_) return bad_syntax("the text ends too early", at);
        return bad_syntax("not a JSON value", at);
    }
  }

  bool object(const schema_node& node, const where* at, int depth) {
    if (depth > spec_max_depth)
      return fail(errc::spec_too_deep, "the spec is nested more than 128 levels deep", at, "flatten it");
    ++p_;
    const std::size_t first_key = keys_.size();
    const bool is_map = node.kind == schema_kind::map;
    const schema_field* const fields = node.fields;
    const std::size_t field_count = node.field_count;
    std::size_t next = 0;  // Go writes fields in the struct's order: the next one is most often just ahead
    std::uint64_t seen = 0;
    std::uint32_t members = 0;
    events_.begin_object();
    skip_blank();
    if (*p_ == '}') {
      ++p_;
      events_.end_object(0);
      return true;
    }
    for (;;) {
      if (*p_ != '"') return bad_syntax("an object's key is a string", at);
      span key;
      if (!string(key, at)) return false;
      events_.key({key.text, key.length}, key.escaped);
      ++members;
      where here{at, {key.text, key.length, key.escaped}, 0};
      skip_blank();
      if (*p_ != ':') return bad_syntax("a colon comes after a key", &here);
      ++p_;
      skip_blank();

      const schema_node* child = &node_unknown;
      if (is_map) {
        child = node.element;
        keys_.push_back(here.key);
      } else {
        std::size_t index = field_count;
        if (!key.escaped) {
          for (std::size_t tried = 0; tried < field_count; ++tried) {
            if (same_name(fields[next].name, key)) {
              index = next;
              if (++next == field_count) next = 0;
              break;
            }
            if (++next == field_count) next = 0;
          }
        }
        if (index == field_count && !unknown_key(node, here, index)) return false;
        if (index != field_count) {
          const std::uint64_t bit = std::uint64_t{1} << index;
          if (seen & bit) return duplicate(&here);
          seen |= bit;
          child = fields[index].node;
        }
      }
      in_map_ = is_map;
      if (!value(*child, &here, depth + 1)) return false;

      skip_blank();
      if (*p_ == ',') {
        ++p_;
        skip_blank();
        continue;
      }
      if (*p_ != '}') return bad_syntax("a comma or a closing brace comes after a value", &here);
      ++p_;
      break;
    }
    if (keys_.size() - first_key > 1) {
      // Free keys (annotations, sysctl, unified …) are told apart by case, all others are not.
      if (const scan_key* twice = duplicate_key(keys_.data() + first_key, keys_.size() - first_key, !is_map)) {
        const where here{at, *twice, 0};
        return duplicate(&here);
      }
    }
    keys_.resize(first_key);
    events_.end_object(members);
    return true;
  }

  static bool same_name(std::string_view name, const span& key) {
    return name.size() == key.length && std::memcmp(name.data(), key.text, key.length) == 0;
  }

  bool duplicate(const where* at) {
    return fail(errc::spec_duplicate_key, "the key is there twice, exactly, by escape or but for its case", at,
                "keep one: gVisor's decoder ignores case and takes the last");
  }

  /// A key that is no field as it stands: one by escape (`index` is set), one but for its case (an error), or unknown.
  [[gnu::noinline]] bool unknown_key(const schema_node& node, const where& here, std::size_t& index) {
    if (node.field_count != 0) {
      const std::string text = key_text(here.key);
      if (const schema_field* field = folded_field(node, text)) {
        if (field->name != text)
          return fail(errc::spec_key_case, "the key equals a field of runtime-spec but for its case", &here,
                      "write it as runtime-spec does: gVisor's decoder would take it for that field");
        index = static_cast<std::size_t>(field - node.fields);
        return true;
      }
    }
    keys_.push_back(here.key);
    return true;
  }

  bool array(const schema_node& node, const where* at, int depth) {
    if (depth > spec_max_depth)
      return fail(errc::spec_too_deep, "the spec is nested more than 128 levels deep", at, "flatten it");
    ++p_;
    const schema_node& element = node.kind == schema_kind::array ? *node.element : node_unknown;
    events_.begin_array();
    skip_blank();
    if (*p_ == ']') {
      ++p_;
      events_.end_array(0);
      return true;
    }
    where here{at, {nullptr, 0, false}, 0};
    for (;; ++here.index) {
      if (!value(element, &here, depth + 1)) return false;
      skip_blank();
      if (*p_ == ',') {
        ++p_;
        skip_blank();
        continue;
      }
      if (*p_ != ']') return bad_syntax("a comma or a closing bracket comes after an element", &here);
      ++p_;
      events_.end_array(here.index + 1);
      return true;
    }
  }

  bool string_value(const schema_node& node, const where* at) {
    span text;
    if (!string(text, at)) return false;
    events_.string({text.text, text.length}, text.escaped);
    if (node.kind == schema_kind::string || open(node)) return true;
    if (node.kind > schema_kind::destination) return bad_type(node, at);
    return special_string(node, text, at);
  }

  bool special_string(const schema_node& node, const span& text, const where* at) {
    std::string decoded;
    std::string_view view(text.text, text.length);
    if (text.escaped) view = decoded = unescape(view);
    if (node.kind == schema_kind::cwd) {
      if (const char* wrong = check_cwd(view))
        return fail(errc::spec_path, wrong, at, "give an absolute path outside of /proc");
    } else if (const char* wrong = check_destination(view)) {
      return fail(errc::spec_path, wrong, at, "give the path as it is after cleaning");
    }
    return true;
  }

  /// Scans a string from its opening quote to behind its closing one.
  bool string(span& out, const where* at) {
    const char* p = ++p_;
    out.escaped = false;
    for (;;) {
#if defined(__SSE2__)
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      const __m128i stop = _mm_or_si128(
          _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
          // Signed comparison: below a blank are the control characters and every byte with its high bit set.
          _mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')));
      const unsigned mask = static_cast<unsigned>(_mm_movemask_epi8(stop));
      if (mask == 0) {
        p += 16;
        continue;
      }
      p += __builtin_ctz(mask);
#else
      while (static_cast<unsigned char>(*p) - 0x20u < 0x60u && *p != '"' && *p != '\\') ++p;
#endif
      const unsigned char c = static_cast<unsigned char>(*p);
      if (c == '"') {
        // The padding holds no quote: p is within the text.
        out.text = p_;
        out.length = static_cast<std::uint32_t>(p - p_);
        p_ = p + 1;
        return true;
      }
      if (c >= 0x80) {
        const std::size_t length = utf8_length(reinterpret_cast<const unsigned char*>(p));
        if (length == 0) {
          p_ = p;
          return bad_syntax("a string is not UTF-8", at);
        }
        p += length;
      } else if (c == '\\') {
        out.escaped = true;
        p = escape(p, at);
        if (p == nullptr) return false;
      } else {
        p_ = p;
        if (p >= end_) return bad_syntax("the text ends within a string", at);
        return bad_syntax("a string has a bare control character in it", at);
      }
    }
  }

  static int hex4(const char* p) {
    int v = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = p[i];
      const char l = static_cast<char>(c | 0x20);
      if (c >= '0' && c <= '9') {
        v = v << 4 | (c - '0');
      } else if (l >= 'a' && l <= 'f') {
        v = v << 4 | (l - 'a' + 10);
      } else {
        return -1;
      }
    }
    return v;
  }

  /// Checks the escape at the backslash `p`; returns the byte behind it, or null.
  const char* escape(const char* p, const where* at) {
    switch (p[1]) {
      case '"':
      case '\\':
      case '/':
      case 'b':
      case 'f':
      case 'n':
      case 'r':
      case 't': return p + 2;
      case 'u': {
        const int unit = hex4(p + 2);
        if (unit < 0) break;
        if (unit == 0) {
          p_ = p;
          fail(errc::spec_nul, "a string has a NUL in it", at, "take it out: Linux would cut the string there");
          return nullptr;
        }
        if (unit < 0xd800 || unit > 0xdfff) return p + 6;
        if (unit < 0xdc00 && p[6] == '\\' && p[7] == 'u') {
          const int low = hex4(p + 8);
          if (low >= 0xdc00 && low <= 0xdfff) return p + 12;
        }
        p_ = p;
        bad_syntax("a string has half of a surrogate pair in it", at);
        return nullptr;
      }
      default: break;
    }
    p_ = p;
    bad_syntax("a string has an escape that JSON does not know", at);
    return nullptr;
  }

  bool number(const schema_node& node, const where* at) {
    const char* const start = p_;
    const char* p = p_;
    const bool minus = *p == '-';
    if (minus) ++p;
    const char* const digits = p;
    if (*p == '0') {
      ++p;
    } else if (*p >= '1' && *p <= '9') {
      while (*p >= '0' && *p <= '9') ++p;
    } else {
      return bad_syntax("a number has no digits", at);
    }
    const char* const digits_end = p;
    bool whole = true;
    if (*p == '.') {
      whole = false;
      const char* const fraction = ++p;
      while (*p >= '0' && *p <= '9') ++p;
      if (p == fraction) return bad_syntax("a number has no digits after its point", at);
    }
    int exponent = 0;
    if (*p == 'e' || *p == 'E') {
      whole = false;
      ++p;
      if (*p == '+' || *p == '-') ++p;
      const char* const power = p;
      for (; *p >= '0' && *p <= '9'; ++p)
        if (exponent <= spec_max_exponent) exponent = exponent * 10 + (*p - '0');
      if (p == power) return bad_syntax("a number has no digits in its exponent", at);
    }
    p_ = p;
    if (static_cast<std::size_t>(p - start) > spec_max_number)
      return fail(errc::spec_number, "a number is longer than 64 characters", at, "shorten it");
    if (exponent > spec_max_exponent)
      return fail(errc::spec_number, "a number's exponent is beyond 308", at, "no reader could hold it");
    events_.number({start, static_cast<std::size_t>(p - start)});
    if (open(node)) return true;
    if (node.kind < schema_kind::i32 || node.kind > schema_kind::u64 || !whole) return bad_type(node, at);
    return in_range(node.kind, minus, digits, digits_end) ||
           fail(errc::spec_number, "the number is out of the field's range", at,
                "see the field in the OCI runtime-spec");
  }

  static bool in_range(schema_kind kind, bool minus, const char* digits, const char* end) {
    if (end - digits > 20) return false;
    std::uint64_t v = 0;
    for (; digits != end; ++digits) {
      const std::uint64_t digit = static_cast<std::uint64_t>(*digits - '0');
      if (__builtin_mul_overflow(v, std::uint64_t{10}, &v) || __builtin_add_overflow(v, digit, &v)) return false;
    }
    switch (kind) {
      case schema_kind::u16: return !minus && v <= UINT16_MAX;
      case schema_kind::u32: return !minus && v <= UINT32_MAX;
      case schema_kind::u64: return !minus;
      case schema_kind::i32: return v <= std::uint64_t{INT32_MAX} + (minus ? 1 : 0);
      default: return v <= std::uint64_t{INT64_MAX} + (minus ? 1 : 0);
    }
  }

  const char* const begin_;
  const char* p_;
  const char* const end_;
  bool in_map_ = false;  ///< the value that starts next is a map's
  Events& events_;
  std::vector<scan_key> keys_;  ///< keys outside of runtime-spec, of the objects that are open
  error error_;
};

BERTH_DECL result<void> scan_spec(const char* text, std::size_t size) {
  if (size > spec_max_bytes)
    return make_error(errc::spec_too_large, "spec", "the spec is larger than 16 MiB", {},
                      "no config.json needs that much");
  no_events nowhere;
  return scanner<no_events>(text, size, nowhere).run();
}

}  // namespace berth::detail

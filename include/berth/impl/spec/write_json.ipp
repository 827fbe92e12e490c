// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/spec/detail/document.hpp>
#include <berth/spec/detail/scan.hpp>

#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

BERTH_HIDDEN_BEGIN
namespace berth::detail {

/// A growing run of bytes behind those of a string. A string sets what it grows by to zero: so that many short values can
/// be written into one long string, growth goes by what is written, not by what is there.
class json_sink {
 public:
  /// Room that an empty `out` has reserved is used before more is taken.
  explicit json_sink(std::string& out) : out_(out), start_(out.size()), used_(start_) {
    if (start_ == 0) out_.resize(out_.capacity());
  }

  /// A place for `n` bytes and 16 more; `done` says how far it was used.
  char* room(std::size_t n) {
    if (out_.size() - used_ < n + 16) out_.resize(used_ + (used_ - start_) + (n + 16) * 2 + 256);
    return out_.data() + used_;
  }
  void done(const char* end) { used_ = static_cast<std::size_t>(end - out_.data()); }
  void finish() { out_.resize(used_); }

 private:
  std::string& out_;
  const std::size_t start_;
  std::size_t used_;
};

inline char* write_escape(char* to, unsigned char c) {
  constexpr char hex[] = "0123456789abcdef";
  *to++ = '\\';
  switch (c) {
    case '"': *to++ = '"'; break;
    case '\\': *to++ = '\\'; break;
    case '\b': *to++ = 'b'; break;
    case '\f': *to++ = 'f'; break;
    case '\n': *to++ = 'n'; break;
    case '\r': *to++ = 'r'; break;
    case '\t': *to++ = 't'; break;
    default:
      *to++ = 'u';
      *to++ = '0';
      *to++ = '0';
      *to++ = hex[c >> 4];
      *to++ = hex[c & 15];
  }
  return to;
}

/// `to` has room for six times the text, two quotes and 16 bytes. The text is followed by 16 bytes that may be read:
/// it is in the arena, in the source text, or in a value in one of them.
inline char* write_string(char* to, std::string_view text) {
  *to++ = '"';
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end) {
#if defined(__SSE2__)
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    const __m128i stop = _mm_or_si128(
        control, _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
    const unsigned mask = static_cast<unsigned>(_mm_movemask_epi8(stop));
    const std::ptrdiff_t left = end - p;
    const std::ptrdiff_t plain = mask == 0 ? 16 : __builtin_ctz(mask);
    if (plain >= left) {
      to += left;
      break;
    }
    to += plain;
    p += plain;
    if (mask == 0) continue;
    to = write_escape(to, static_cast<unsigned char>(*p++));
#else
    const unsigned char c = static_cast<unsigned char>(*p++);
    if (c < 0x20 || c == '"' || c == '\\') {
      to = write_escape(to, c);
    } else {
      *to++ = static_cast<char>(c);
    }
#endif
  }
  *to++ = '"';
  return to;
}

/// `to` has room as `write_string` wants it, or 5 bytes. Not for containers.
inline char* write_scalar(char* to, const json_value& v) {
  const auto literal = [&](std::string_view text) {
    std::memcpy(to, text.data(), text.size());
    return to + text.size();
  };
  switch (v.GetType()) {
    case rapidjson::kStringType: {
      const std::string_view text = text_of(v);
      if (text.empty() || text.front() != number_mark) return write_string(to, text);
      return literal(text.substr(1));
    }
    case rapidjson::kTrueType: return literal("true");
    case rapidjson::kFalseType: return literal("false");
    default: return literal("null");
  }
}

/// Writes without recursion: what is open is on a stack of its own.
class json_writer {
 public:
  json_writer(std::string& out, int indent) : out_(out), indent_(static_cast<std::size_t>(indent)) {}

  void write(const json_value& value) {
    char* to = out_.room(worst(value));
    if (value.IsObject() || value.IsArray()) {
      out_.done(begin(to, value));
    } else {
      out_.done(write_scalar(to, value));
    }
    while (depth_ > 0) step();
    out_.finish();
  }

 private:
  struct open_container {
    const json_value* at;
    rapidjson::SizeType next;
    rapidjson::SizeType count;
    bool object;
  };

  static std::size_t worst(const json_value& v) { return v.IsString() ? v.GetStringLength() * std::size_t{6} + 8 : 8; }

  char* line(char* to) {
    if (indent_ == 0) return to;
    const std::size_t blanks = indent_ * static_cast<std::size_t>(depth_);
    *to++ = '\n';
    std::memset(to, ' ', blanks);
    return to + blanks;
  }

  char* begin(char* to, const json_value& v) {
    const bool object = v.IsObject();
    const rapidjson::SizeType count = object ? v.MemberCount() : v.Size();
    *to++ = object ? '{' : '[';
    if (count == 0) {
      *to++ = object ? '}' : ']';
      return to;
    }
    if (depth_ == max_depth) rapidjson_failed("nested too deep to be written");
    stack_[depth_++] = {&v, 0, count, object};
    return to;
  }

  void step() {
    open_container& top = stack_[depth_ - 1];
    const std::size_t margin = indent_ * static_cast<std::size_t>(depth_) + 8;
    if (top.next == top.count) {
      --depth_;
      char* to = line(out_.room(margin));
      *to++ = top.object ? '}' : ']';
      out_.done(to);
      return;
    }
    const rapidjson::SizeType index = top.next++;
    const json_value* name = nullptr;
    const json_value* value = nullptr;
    if (top.object) {
      const auto& member = *(top.at->MemberBegin() + index);
      name = &member.name;
      value = &member.value;
    } else {
      value = top.at->Begin() + index;
    }
    char* to = out_.room(margin + worst(*value) + (name != nullptr ? worst(*name) : 0));
    if (index != 0) *to++ = ',';
    to = line(to);
    if (name != nullptr) {
      to = write_string(to, text_of(*name));
      *to++ = ':';
      if (indent_ != 0) *to++ = ' ';
    }
    to = value->IsObject() || value->IsArray() ? begin(to, *value) : write_scalar(to, *value);
    out_.done(to);
  }

  // The scan keeps a document within its depth, and mutations add known shapes far above that.
  static constexpr int max_depth = spec_max_depth + 8;
  json_sink out_;
  const std::size_t indent_;
  int depth_ = 0;
  open_container stack_[max_depth];
};

BERTH_DECL void write_json(std::string& target, const json_value& value, int indent) {
  json_writer(target, indent).write(value);
}

}  // namespace berth::detail
BERTH_HIDDEN_END

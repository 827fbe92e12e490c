#pragma once

#include <berth/spec/detail/document.hpp>
#include <berth/spec/detail/scan.hpp>

#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

BERTH_HIDDEN_BEGIN
namespace berth::detail {

/// A growing run of bytes that need not be set before they are written.
class json_sink {
 public:
  explicit json_sink(std::string& out) : out_(out), used_(out.size()) {}

  /// A place for `n` bytes and 16 more; `done` says how far it was used.
  char* room(std::size_t n) {
    if (out_.size() - used_ < n + 16) out_.resize((used_ + n + 16) * 2 + 1024);
    return out_.data() + used_;
  }
  void done(const char* end) { used_ = static_cast<std::size_t>(end - out_.data()); }
  void finish() { out_.resize(used_); }

 private:
  std::string& out_;
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
      *to++ = 'u'; *to++ = '0'; *to++ = '0';
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

inline void write_scalar(json_sink& out, const json_value& v) {
  switch (v.GetType()) {
    case rapidjson::kStringType: {
      const std::string_view text = text_of(v);
      char* to = out.room(text.size() * 6 + 2);
      if (!text.empty() && text.front() == number_mark) {
        std::memcpy(to, text.data() + 1, text.size() - 1);
        out.done(to + text.size() - 1);
      } else {
        out.done(write_string(to, text));
      }
      return;
    }
    case rapidjson::kTrueType: {
      char* to = out.room(4);
      std::memcpy(to, "true", 4);
      out.done(to + 4);
      return;
    }
    case rapidjson::kFalseType: {
      char* to = out.room(5);
      std::memcpy(to, "false", 5);
      out.done(to + 5);
      return;
    }
    default: {
      char* to = out.room(4);
      std::memcpy(to, "null", 4);
      out.done(to + 4);
      return;
    }
  }
}

BERTH_DECL void write_json(std::string& target, const json_value& value, int indent) {
  struct open_container {
    const json_value* at;
    rapidjson::SizeType next;
  };
  // The scan keeps a document within this depth, and mutations add known shapes far above it.
  open_container stack[spec_max_depth + 8];
  int depth = 0;
  json_sink out(target);
  const auto put = [&](char c) {
    char* to = out.room(1);
    *to = c;
    out.done(to + 1);
  };
  const auto line = [&] {
    if (indent == 0) return;
    const std::size_t blanks = static_cast<std::size_t>(indent) * static_cast<std::size_t>(depth);
    char* to = out.room(blanks + 1);
    *to = '\n';
    std::memset(to + 1, ' ', blanks);
    out.done(to + 1 + blanks);
  };
  const auto begin = [&](const json_value& v) {
    if (v.IsObject() ? v.MemberCount() == 0 : v.Empty()) {
      put(v.IsObject() ? '{' : '[');
      put(v.IsObject() ? '}' : ']');
      return;
    }
    if (depth == static_cast<int>(std::size(stack))) rapidjson_failed("nested too deep to be written");
    put(v.IsObject() ? '{' : '[');
    stack[depth++] = {&v, 0};
  };
  const auto write = [&](const json_value& v) {
    if (v.IsObject() || v.IsArray()) {
      begin(v);
    } else {
      write_scalar(out, v);
    }
  };
  write(value);
  while (depth > 0) {
    open_container& top = stack[depth - 1];
    const bool object = top.at->IsObject();
    if (top.next == (object ? top.at->MemberCount() : top.at->Size())) {
      --depth;
      line();
      put(object ? '}' : ']');
      continue;
    }
    if (top.next != 0) put(',');
    line();
    const rapidjson::SizeType index = top.next++;
    if (object) {
      const auto& member = *(top.at->MemberBegin() + index);
      write_scalar(out, member.name);
      put(':');
      if (indent != 0) put(' ');
      write(member.value);
    } else {
      write((*top.at)[index]);
    }
  }
  out.finish();
}

}  // namespace berth::detail
BERTH_HIDDEN_END

// SPDX-License-Identifier: Apache-2.0
// The scan and the document: whatever the bytes, no crash; and what is let through is JSON to rapidjson's own reader as
// well, means the same to it, and comes out as it went in.
#include <berth/spec/detail/document.hpp>
#include <berth/spec/detail/scan.hpp>
#include <berth/spec/spec_builder.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

BERTH_HIDDEN_BEGIN
namespace {

using namespace berth::detail;

void must(bool holds) {
  if (!holds) std::abort();
}

/// As the document keeps it, from rapidjson's own reader.
struct reader_events : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, reader_events> {
  std::string out;
  void comma() {
    if (!out.empty() && out.back() != '[' && out.back() != '{' && out.back() != ':') out += ',';
  }
  bool token(std::string_view text) {
    comma();
    out += text;
    return true;
  }
  bool quoted(std::string_view text) {
    // Two strings are the same when their bytes are: hexadecimal stands in for escaping.
    comma();
    out += '"';
    for (unsigned char c : text) {
      out += "0123456789abcdef"[c >> 4];
      out += "0123456789abcdef"[c & 15];
    }
    out += '"';
    return true;
  }
  bool Null() { return token("null"); }
  bool Bool(bool b) { return token(b ? "true" : "false"); }
  bool RawNumber(const char* text, rapidjson::SizeType length, bool) { return token({text, length}); }
  bool String(const char* text, rapidjson::SizeType length, bool) { return quoted({text, length}); }
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    quoted({text, length});
    out += ':';
    return true;
  }
  bool StartObject() { return token("{"); }
  bool EndObject(rapidjson::SizeType) {
    out += '}';
    return true;
  }
  bool StartArray() { return token("["); }
  bool EndArray(rapidjson::SizeType) {
    out += ']';
    return true;
  }
};

std::string by_rapidjson(const std::string& json) {
  reader_events events;
  rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, throwing_allocator> reader;
  rapidjson::StringStream stream(json.c_str());
  const auto outcome =
      reader.Parse<rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag>(stream, events);
  must(!outcome.IsError());
  return events.out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string json(reinterpret_cast<const char*>(data), size);
  const std::string padded = json + std::string(scan_padding, '\0');
  const bool scanned = scan_spec(padded.data(), json.size()).has_value();
  const berth::result<berth::spec_builder> spec = berth::spec_builder::parse(json);
  must(scanned == spec.has_value());
  if (!spec) {
    must(!spec.error().message.empty() && !spec.error().hint.empty());
    must(check_text(spec.error().path) == nullptr);
    return 0;
  }
  const std::string compact = spec->to_json();
  const std::string meaning = by_rapidjson(json);
  must(by_rapidjson(compact) == meaning);
  must(by_rapidjson(spec->to_pretty_json()) == meaning);
  const berth::result<berth::spec_builder> again = berth::spec_builder::parse(compact);
  must(again.has_value() && again->to_json() == compact);
  return 0;
}
BERTH_HIDDEN_END

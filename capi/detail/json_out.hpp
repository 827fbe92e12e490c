// Writing the small JSON texts that events and statuses carry.
#pragma once

#include <berth/base/log.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace berth::capi {

/// Appends a JSON string. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);
bool is_utf8(std::string_view text) noexcept;
std::string to_base64(std::string_view bytes);

/// Builds one text; commas come by themselves.
class json_writer {
 public:
  json_writer& open_object() { return open('{'); }
  json_writer& close_object() { return close('}'); }
  json_writer& open_array() { return open('['); }
  json_writer& close_array() { return close(']'); }
  json_writer& key(std::string_view name) {
    comma();
    append_json_string(out_, name);
    out_ += ':';
    first_ = true;
    return *this;
  }
  json_writer& string(std::string_view text) {
    comma();
    append_json_string(out_, text);
    return *this;
  }
  json_writer& number(std::int64_t n) { return raw(std::to_string(n)); }
  json_writer& unsigned_number(std::uint64_t n) { return raw(std::to_string(n)); }
  json_writer& decimal(double n);
  json_writer& boolean(bool b) { return raw(b ? "true" : "false"); }
  json_writer& null() { return raw("null"); }
  json_writer& raw(std::string_view json) {
    comma();
    out_ += json;
    return *this;
  }
  std::string take() { return std::move(out_); }

 private:
  void comma() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  json_writer& open(char c) {
    comma();
    out_ += c;
    first_ = true;
    return *this;
  }
  json_writer& close(char c) {
    out_ += c;
    first_ = false;
    return *this;
  }
  std::string out_;
  bool first_ = true;
};

/// {"level":"info","message":"…","fields":{…},"console":"INF …"}: a log event, as event payloads carry it.
void write_log_event(json_writer& out, const log_event& event);

}  // namespace berth::capi

// SPDX-License-Identifier: Apache-2.0
#include "detail/json_out.hpp"

namespace berth::capi {

std::string to_base64(std::string_view bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t k) {
      return i + k < bytes.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i + k])) : 0u;
    };
    const std::uint32_t three = byte(0) << 16 | byte(1) << 8 | byte(2);
    out += digits[three >> 18];
    out += digits[three >> 12 & 63];
    out += i + 1 < bytes.size() ? digits[three >> 6 & 63] : '=';
    out += i + 2 < bytes.size() ? digits[three & 63] : '=';
  }
  return out;
}

void write_log_event(json_writer& out, const log_event& event) {
  static constexpr const char* names[] = {"debug", "info", "warn", "error"};
  out.open_object().key("level").string(names[static_cast<int>(event.level) & 3]);
  out.key("message").string(event.message).key("fields").open_object();
  for (const log_field& f : event.fields) out.key(f.key).string(f.value);
  out.close_object().key("console").string(format_console(event)).close_object();
}

}  // namespace berth::capi

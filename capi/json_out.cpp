// SPDX-License-Identifier: Apache-2.0
#include "detail/json_out.hpp"

namespace berth::capi {

void write_log_event(json_writer& out, const log_event& event) {
  static constexpr const char* names[] = {"debug", "info", "warn", "error"};
  out.open_object().key("level").string(names[static_cast<int>(event.level) & 3]);
  out.key("message").string(event.message).key("fields").open_object();
  for (const log_field& f : event.fields) out.key(f.key).string(f.value);
  out.close_object().key("console").string(format_console(event)).close_object();
}

}  // namespace berth::capi

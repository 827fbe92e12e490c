// SPDX-License-Identifier: Apache-2.0
// Writing the small JSON texts that events and statuses carry.
#pragma once

#include <berth/base/json_writer.hpp>
#include <berth/base/log.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace berth::capi {

std::string to_base64(std::string_view bytes);

/// {"level":"info","message":"…","fields":{…},"console":"INF …"}: a log event, as event payloads carry it.
void write_log_event(json_writer& out, const log_event& event);

}  // namespace berth::capi

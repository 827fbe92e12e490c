// SPDX-License-Identifier: Apache-2.0
// Writing the small JSON texts that events and statuses carry.
#pragma once

#include <berth/base/json_writer.hpp>
#include <berth/base/log.hpp>

namespace berth::capi {

/// {"level":"info","message":"…","fields":{…},"console":"INF …"}: a log event, as event payloads carry it.
void write_log_event(json_writer& out, const log_event& event);

}  // namespace berth::capi

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace berth::guest {

/// Tells those who look after dockerd, by its own log: runc's is read only where it fails. `line` comes as "berth: …".
void write_to_daemon_log(const std::string& line);

}  // namespace berth::guest

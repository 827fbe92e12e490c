// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/result.hpp>
#include <berth/guest/protocol.hpp>
#include <berth/sandbox/config.hpp>
#include <berth/sandbox/record.hpp>

#include <string>

namespace berth::detail {

/// Whether a sandbox with this record falls asleep as that says, with `init` as this berth's program. Errors: unsupported.
inline result<void> check_sleeper(const sandbox_record& record, const std::string& init) {
  if (record.idle_timeout_ms != 0 && record.guest != guest_protocol_version)
    return make_error(errc::unsupported, "sandbox",
                      "the sandbox cannot fall asleep: its guest is another berth's, and cannot be asked",
                      "idle_timeout", "leave the idle timeout out, or save the sandbox anew by this berth");
  if (record.hibernates && find_command(init).empty())
    return make_error(errc::unsupported, "sandbox",
                      "the sandbox cannot hibernate: that is done by the berth command, which is not there",
                      "hibernate", "install berth, or leave this out: then the sandbox sleeps in memory");
  return {};
}

}  // namespace berth::detail

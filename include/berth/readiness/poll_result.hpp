// SPDX-License-Identifier: Apache-2.0
// What waiting for readiness came to.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/error.hpp>
#include <berth/process/exit_status.hpp>

#include <cstdint>
#include <optional>

namespace berth {

/// `status` is ok, timeout, cancelled, process_exited or probe_failed.
struct poll_result {
  errc status = errc::ok;
  std::uint32_t attempts = 0;  ///< probes that were asked, the last included
  duration elapsed{};
  bool connected = false;  ///< the socket level was reached at least once
  error last;              ///< what the last probe that was not ready said
  std::optional<exit_status> exited;

  bool ready() const noexcept { return status == errc::ok; }
};

}  // namespace berth

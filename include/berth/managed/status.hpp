// SPDX-License-Identifier: Apache-2.0
// All that is known of a sandbox at one moment, whoever made it and whoever asks, and its one JSON form.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/json_writer.hpp>
#include <berth/docker/daemon_messages.hpp>
#include <berth/managed/purpose.hpp>
#include <berth/sandbox/config.hpp>
#include <berth/sandbox/record.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth {

struct sandbox_status {
  sandbox_record record;
  std::string state;                       ///< sandbox_state_name; "damaged"; "unknown" when it could not be found out
  std::optional<sandbox_purpose> purpose;  ///< where it was written down
  std::optional<guest_status> guest;       ///< what its guest keeps, where it was asked to keep something
  std::optional<std::uint64_t> refused_connections;  ///< for its limit of connections, where that was asked
  std::optional<std::uint64_t> refused_egress;       ///< packets that its egress policy refused, where that was asked
  std::optional<bool> rules;  ///< whether the nft tables that isolate it are there; for the caller to fill in

  /// Whether it has, or is to have, a dockerd that its guest keeps.
  bool wants_docker() const noexcept;
  /// That dockerd: `disabled` without one, `starting` where the guest has not heard of it yet, `stopped` with its sandbox.
  daemon_status docker() const;
  /// "none", "waiting", "running" or "exited": the command that it was left with, or that runs it in the foreground.
  std::string_view command_state() const;
};

struct status_options {
  /// One that does not answer within it is "unresponsive"; but less than 500 ms prove nothing. With none it is not asked, and
  /// what its process says counts.
  duration patience = seconds(2);
  bool count_refused = false;  ///< nft is asked, which takes some 10 ms
};

/// Reads the files, looks at the processes and asks runsc, as far as it has to. Of a record that cannot be read the status says
/// so. Errors: not_found, once it was removed.
BERTH_DECL boost::asio::awaitable<result<sandbox_status>> look_at(environment where, sandbox_record record,
                                                                  status_options options = {});

/// docs/reference/managed.md has the keys. Where there is nothing to say a text is empty and a number null.
BERTH_DECL void write_json(json_writer& to, const sandbox_status& status);
BERTH_DECL void write_json(json_writer& to, const daemon_status& status);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/managed/status.ipp>
#endif

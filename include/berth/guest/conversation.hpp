// SPDX-License-Identifier: Apache-2.0
// The host's half of a conversation with the guest about one command: what may be said when, and what came. Pure, no I/O.
// All that the guest says is hostile: whatever is out of turn, out of range or more than was asked for ends the conversation.
#pragma once

#include <berth/guest/protocol.hpp>
#include <berth/process/exit_status.hpp>
#include <berth/process/process.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth {

class guest_conversation {
 public:
  enum class phase {
    greeting,  ///< nothing has come yet
    starting,  ///< greeted; the command was sent, or will be
    running,
    exited,   ///< the command has ended, more of its output may come
    drained,  ///< all has come
    refused,  ///< see refusal()
  };

  /// Output that came with a frame: the caller's until its next call.
  struct piece {
    output_stream stream = output_stream::out;
    std::string_view data;
  };

  /// Takes a frame; gives the piece of output that it holds, if any. Errors: hostile, and unsupported for a guest of another
  /// version; the conversation is over then.
  BERTH_DECL result<std::optional<piece>> take(const guest_frame& frame);

  phase now() const noexcept { return phase_; }
  /// The command's pid inside; 0 before it runs.
  std::uint32_t pid() const noexcept { return pid_; }
  /// How it ended, once it has.
  const std::optional<exit_status>& status() const noexcept { return status_; }
  /// Why it was not started, in phase::refused.
  const guest_refused& refusal() const noexcept { return refusal_; }

  /// How many bytes for its stdin may be sent now, and that they were.
  std::uint32_t may_send() const noexcept { return deaf_ ? 0 : may_send_; }
  void sent(std::uint32_t bytes) noexcept { may_send_ -= bytes; }
  bool deaf() const noexcept { return deaf_; }

  /// Bytes of a stream were dealt with. Gives how many to grant to the guest now: nothing until it is worth a frame.
  BERTH_DECL std::uint32_t consumed(output_stream which, std::size_t bytes) noexcept;

 private:
  struct inflow {
    std::uint32_t may_come = guest_stream_window;
    std::uint32_t owed = 0;  // dealt with, and not granted again
  };
  inflow& of(output_stream which) noexcept { return streams_[which == output_stream::out ? 0 : 1]; }

  phase phase_ = phase::greeting;
  std::uint32_t pid_ = 0;
  std::optional<exit_status> status_;
  guest_refused refusal_;
  std::uint32_t may_send_ = guest_stream_window;
  bool deaf_ = false;
  inflow streams_[2];
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/guest/conversation.ipp>
#endif

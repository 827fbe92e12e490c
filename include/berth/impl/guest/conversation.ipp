// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/guest/conversation.hpp>

namespace berth {

BERTH_DECL result<std::optional<guest_conversation::piece>> guest_conversation::take(const guest_frame& frame) {
  using kind = guest_frame_kind;
  const auto out_of_turn = [] { return make_error(errc::hostile, "guest", "the guest spoke out of turn"); };
  const std::optional<piece> nothing;

  if (phase_ == phase::greeting) {
    // A guest of another version refuses ours as well; whichever is read first tells it.
    if (frame.kind != kind::greeting) return out_of_turn();
    auto hello = decode_guest<guest_hello>(frame.payload);
    if (!hello) return std::move(hello).error();
    if (hello->version != guest_protocol_version) {
      return make_error(errc::unsupported, "guest",
                        "the sandbox's guest speaks version " + std::to_string(hello->version) +
                            " of the protocol, and this is " + std::to_string(guest_protocol_version),
                        {}, "use the berth that made the sandbox, or make it anew");
    }
    phase_ = phase::starting;
    return nothing;
  }

  switch (frame.kind) {
    case kind::started: {
      if (phase_ != phase::starting) return out_of_turn();
      auto started = decode_guest<guest_started>(frame.payload);
      if (!started) return std::move(started).error();
      pid_ = started->pid;
      phase_ = phase::running;
      return nothing;
    }
    case kind::refused: {
      if (phase_ == phase::drained || phase_ == phase::refused) return out_of_turn();
      auto why = decode_guest<guest_refused>(frame.payload);
      if (!why) return std::move(why).error();
      refusal_ = std::move(*why);
      phase_ = phase::refused;
      return nothing;
    }
    default: break;
  }
  if (phase_ != phase::running && phase_ != phase::exited) return out_of_turn();
  switch (frame.kind) {
    case kind::out:
    case kind::err: {
      const output_stream which = frame.kind == kind::out ? output_stream::out : output_stream::err;
      inflow& from = of(which);
      if (frame.payload.empty() || frame.payload.size() > from.may_come) {
        return make_error(errc::hostile, "guest", "the guest sent more output than it was asked for");
      }
      from.may_come -= static_cast<std::uint32_t>(frame.payload.size());
      return std::optional<piece>(piece{which, frame.payload});
    }
    case kind::wanted: {
      auto grant = decode_guest<guest_grant>(frame.payload);
      if (!grant) return std::move(grant).error();
      if (grant->stream != 0 || grant->bytes > guest_stream_window - may_send_) return out_of_turn();
      may_send_ += grant->bytes;
      return nothing;
    }
    case kind::deaf: deaf_ = true; return nothing;
    case kind::exited: {
      if (phase_ == phase::exited) return out_of_turn();
      auto how = decode_guest<guest_exited>(frame.payload);
      if (!how) return std::move(how).error();
      status_ = exit_status{static_cast<int>(how->code), static_cast<int>(how->signal)};
      phase_ = phase::exited;
      return nothing;
    }
    case kind::drained:
      if (phase_ != phase::exited) return out_of_turn();
      phase_ = phase::drained;
      return nothing;
    default: return out_of_turn();
  }
}

BERTH_DECL std::uint32_t guest_conversation::consumed(output_stream which, std::size_t bytes) noexcept {
  inflow& from = of(which);
  from.owed += static_cast<std::uint32_t>(bytes);
  // A grant costs a system call on both sides: a quarter of the window at a time.
  if (from.owed < guest_stream_window / 4) return 0;
  const std::uint32_t grant = from.owed;
  from.owed = 0;
  from.may_come += grant;
  return grant;
}

}  // namespace berth

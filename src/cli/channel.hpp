// The line between `berth run -d` and the monitor that it started: one socket pair of whole messages.
#pragma once

#include <berth/base/log.hpp>
#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace berth::cli {

/// What the monitor tells its launcher.
struct monitor_event {
  enum class kind : char {
    log = 'l',      ///< level, message, then keys and values
    created = 'c',  ///< the id
    ready = 'r',    ///< Docker is ready (or was not asked for)
    failed = 'f',   ///< the error, its exit code; nothing is left of the sandbox
  };
  kind what = kind::log;
  std::string id;
  log_event log;
  error failure;
  int exit_code = 1;
};

std::string encode_event(const monitor_event& event);
result<monitor_event> decode_event(std::string_view message);

/// Two ends of a SOCK_SEQPACKET pair.
struct channel_pair {
  unique_fd launcher;
  unique_fd monitor;
};
result<channel_pair> make_channel();

/// Sends one message. Log lines are dropped when the other end does not read; the others wait for at most 5 s. False
/// when the other end is gone.
bool send_event(int fd, const monitor_event& event);

}  // namespace berth::cli

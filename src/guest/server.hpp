// SPDX-License-Identifier: Apache-2.0
// The guest at work: takes the host's connections, starts their commands, reaps what ends.
#pragma once

#include "connection.hpp"
#include "daemon_keeper.hpp"
#include "event_loop.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace berth::guest {

class server {
 public:
  /// `socket_path` empty: reaps, and serves nobody.
  explicit server(std::string socket_path) : path_(std::move(socket_path)) {}
  ~server();

  /// Until SIGTERM or SIGINT. The exit code of the program.
  int run();

 private:
  bool listen();
  bool take_signals();
  void on_signal();
  void reap();
  void accept_some();
  void adopt(unique_fd socket);
  void take_daemon_request(connection& from, std::string_view request);

  std::string path_;
  event_loop loop_;
  unique_fd listener_, signals_;
  std::unordered_map<connection*, std::shared_ptr<connection>> connections_;
  std::unordered_map<pid_t, std::weak_ptr<connection>> commands_;
  std::unique_ptr<daemon_keeper> daemon_;  ///< from the first request about dockerd on
};

}  // namespace berth::guest

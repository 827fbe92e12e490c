// SPDX-License-Identifier: Apache-2.0
// The guest at work: takes the host's connections, starts their commands, reaps what ends.
#pragma once

#include "commands/connection.hpp"
#include "docker/daemon_keeper.hpp"
#include "files/workers.hpp"
#include "base/event_loop.hpp"
#include "checkpoint/docker_checkpoint.hpp"
#include "checkpoint/retreat.hpp"

#include <chrono>
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
  void adopt(unique_fd socket, bool from_host);
  void take_daemon_request(connection& from, std::string_view request);
  void take_file_request(connection& from, std::string_view request);
  void take_retreat(connection& from, bool for_good);
  std::string what_retreat_would_cut_off(const connection& whose) const;  ///< for people; empty where nothing
  void take_rest(connection& from, guest_rest wanted);
  bool in_use_but_by(const connection& whom) const;
  void come_back(const guest_wake& wake);
  /// The directory that is shared with the host.
  std::string directory() const { return path_.substr(0, path_.rfind('/')); }

  std::string path_;
  event_loop loop_;
  unique_fd listener_, signals_;
  struct known_connection {
    std::shared_ptr<connection> held;
    bool from_host = false;
    bool quiet = false;  ///< it only listens to news, or asks whether anybody else is there
  };
  std::unordered_map<connection*, known_connection> connections_;
  std::unordered_map<pid_t, std::weak_ptr<connection>> commands_;
  file_workers files_;
  std::unique_ptr<daemon_keeper> daemon_;  ///< from the first request about dockerd on
  docker_checkpoint docker_checkpoint_;
  std::unique_ptr<retreat> retreat_;                                                   ///< while there is one
  std::chrono::steady_clock::time_point last_use_ = std::chrono::steady_clock::now();  ///< as far as it is seen here
};

}  // namespace berth::guest

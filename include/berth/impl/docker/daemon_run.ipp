// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/text.hpp>
#include <berth/docker/daemon_fsm.hpp>
#include <berth/docker/plan.hpp>
#include <berth/process/executor.hpp>
#include <berth/readiness/notify.hpp>
#include <berth/readiness/poll.hpp>

#include <boost/asio/cancellation_signal.hpp>

#include <algorithm>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <string>

namespace berth {
namespace detail {

/// The last lines of dockerd's output, bounded in both directions.
class line_tail {
 public:
  void add(std::string_view line) {
    constexpr std::size_t longest = 2000;
    std::string& kept = lines_.emplace_back(line.substr(0, longest));
    std::replace(kept.begin(), kept.end(), '\0',
                 ' ');  // it becomes C strings, and JSON that no checked reader would take
    if (lines_.size() > 40) lines_.pop_front();
  }
  /// The last `count` lines, each ended by a newline.
  std::string text(std::size_t count = 40) const {
    std::string out;
    for (std::size_t i = lines_.size() > count ? lines_.size() - count : 0; i < lines_.size(); ++i) {
      out += lines_[i];
      out += '\n';
    }
    return out;
  }

 private:
  std::deque<std::string> lines_;
};

/// One run of dockerd: its command, and what is known of it.
struct daemon_run {
  std::shared_ptr<running_command> running;  ///< once the executor has started it
  exit_notice ended;                         ///< for the poll
  bool over = false;                         ///< its coroutine has done its waiting; the command is gone
  bool api_answered = false;
  // A signal may only be emitted while the coroutine on its slot lives: Asio leaves a dead handler there afterwards.
  boost::asio::cancellation_signal give_up_signal;
  boost::asio::cancellation_signal end_probing_signal;
  bool probing = false;                           ///< the probing coroutine lives
  bool clearing = false;                          ///< what a killed dockerd left is being ended
  std::optional<daemon_event::exited> held_exit;  ///< told once that is done
  /// Ends the run's coroutine, and with it the command.
  void give_up() {
    if (!over) give_up_signal.emit(boost::asio::cancellation_type::terminal);
  }
  void end_probing() {
    if (probing) end_probing_signal.emit(boost::asio::cancellation_type::terminal);
  }
  std::uint32_t attempts = 0;
  std::string last_probe;
  line_tail tail;
  std::optional<notify_socket> notices;  ///< where it tells that it is ready

  // From the start's markers, which bear `nonce` and are read until the start is over.
  std::string nonce;
  bool start_over = false;
  bool missing = false;
  bool launched = false;
  bool network_done = false;
  std::string step_failed;
};

/// The exception that is being handled, as an error.
inline error executor_threw() {
  error e = make_error(errc::internal, "docker", "the executor threw");
  try {
    throw;
  } catch (const std::exception& thrown) {
    e.message += std::string(": ") + thrown.what();
  } catch (...) {
  }
  return e;
}

/// A word of the sandbox's as it is passed on: short, and fit for C strings.
inline std::string inside_text(std::string_view text) {
  constexpr std::size_t longest = 1000;
  std::string out(text.substr(0, longest));
  std::replace(out.begin(), out.end(), '\0', ' ');
  return out;
}

/// A pid as a marker gives it, or 0.
inline pid_t parse_marker_pid(std::string_view text) noexcept {
  const auto pid = parse_number<pid_t>(text);
  return pid && *pid > 0 ? *pid : 0;
}

/// Ends what a dockerd that had to be killed leaves: its containerd. By the pid file, and only if it is one.
inline command daemon_leftovers_command() {
  command what;
  what.argv = {
      "sh", "-c",
      "f=/run/docker/containerd/containerd.pid; [ -f \"$f\" ] || exit 0; pid=; comm=; read -r pid < \"$f\" || :; "
      "read -r comm < \"/proc/$pid/comm\" && [ \"$comm\" = containerd ] && kill -9 \"$pid\"; rm -f \"$f\""};
  return what;
}

/// Stops all containers, each given `grace`.
inline command stop_containers_command(const std::string& socket, seconds grace) {
  command what;
  what.argv = {"sh",
               "-c",
               "command -v docker >/dev/null || exit 0; ids=$(docker -H \"unix://$1\" ps -q) || exit 1; "
               "[ -z \"$ids\" ] || docker -H \"unix://$1\" stop -t \"$2\" $ids",
               "berth-stop",
               socket,
               std::to_string(grace.count())};
  return what;
}

}  // namespace detail
}  // namespace berth

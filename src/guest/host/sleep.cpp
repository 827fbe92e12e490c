// SPDX-License-Identifier: Apache-2.0
#include "sleep.hpp"

#include "program.hpp"

#include "base/pause.hpp"

#include <berth/base/clock.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/guest/protocol.hpp>
#include <berth/process/pidfd.hpp>
#include <berth/readiness/guarded_socket.hpp>
#include <berth/sandbox/paused_marker.hpp>
#include <berth/sandbox/sandbox_sockets.hpp>
#include <berth/sandbox/directory_lock.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

namespace berth::guest {
namespace {

constexpr std::int64_t at_work_ms = 1'000;  // somebody holds the sandbox's lock: looked at again soon
constexpr int answer_ms = 2'000;
// Within guest_rest_limit_ms, for which the guest holds still.
constexpr int runsc_ms = 8'000;
constexpr int hibernation_ms = 180'000;

int left(time_point deadline) {
  const auto ms = std::chrono::duration_cast<milliseconds>(deadline - clock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(ms, 0));
}

// `runsc pause` or `runsc resume`. What it prints is for nobody: it is asked for the outcome.
bool run_runsc(const sandbox_record& record, const char* verb) {
  return run_program(record.runsc, {record.runsc, "--root=" + record.runsc_root(), verb, record.container_id()},
                     runsc_ms) == 0;
}

// Whatever had been begun: runsc resumes only what is paused.
bool go_on(const sandbox_record& record) {
  return run_runsc(record, "resume") || (run_runsc(record, "pause") && run_runsc(record, "resume"));
}

// A conversation with the guest, which is hostile: frames of bounded size, and a deadline for all of it.
class guest_link {
 public:
  explicit guest_link(const sandbox_record& record) : deadline_(clock::now() + milliseconds(answer_ms)) {
    if (auto connected = connect_guarded(record.shared() + "/" + std::string(guest_socket_name)))
      socket_ = std::move(*connected);
  }

  bool say(guest_frame_kind kind, std::string_view payload) {
    std::string bytes;
    append_guest_frame(bytes, kind, payload);
    // It fits the buffer of a connection on which nothing was said yet.
    return socket_ && ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
                          static_cast<ssize_t>(bytes.size());
  }

  template <class Message>
  std::optional<Message> hear(guest_frame_kind kind) {
    for (;;) {
      const auto frame = reader_.next();
      if (!frame) return {};
      if (*frame) {
        if ((*frame)->kind != kind) return {};
        auto message = decode_guest<Message>((*frame)->payload);
        if (!message) return {};
        return std::move(*message);
      }
      pollfd ready{socket_.get(), POLLIN, 0};
      if (::poll(&ready, 1, left(deadline_)) <= 0) return {};
      char buffer[1024];
      const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (n <= 0) return {};
      reader_.append({buffer, static_cast<std::size_t>(n)});
    }
  }

 private:
  time_point deadline_;
  unique_fd socket_;
  guest_frame_reader reader_{1024};
};

// A command of runsc's the guest knows nothing of: its files come and go in this directory.
std::int64_t since_last_exec_ms(const sandbox_record& record) {
  struct stat info {};
  timespec now{};
  if (::stat(record.exec_directory().c_str(), &info) != 0) return 0;
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto ms =
      (std::int64_t{now.tv_sec} - info.st_mtim.tv_sec) * 1000 + (now.tv_nsec - info.st_mtim.tv_nsec) / 1'000'000;
  return std::max<std::int64_t>(ms, 0);
}

// Who does not speak with the guest at all; and, where it holds still, whoever has connected or said something since.
bool somebody_is_there(const sandbox_record& record, bool guest_holds_still) {
  // Who asks runsc about the sandbox, or has just paused it, is connected for a moment.
  for (int tries = 0; tries < 20; ++tries, pause_for(10)) {
    auto sockets = find_sandbox_sockets(record);
    if (!sockets || sockets->too_many || (guest_holds_still && sockets->has_caller())) return true;
    if (!sockets->others) return false;
  }
  return true;
}

std::optional<sandbox_record> read_again(const sandbox_record& known) {
  auto now = read_record(known.directory);
  if (!now || now->token != known.token || !now->is_up()) return {};
  return std::move(*now);
}

}  // namespace

std::int64_t put_to_sleep(const sandbox_record& known, const berth_command& command) {
  auto lock = directory_lock::try_lock(known.directory);
  if (!lock) return at_work_ms;
  const auto record = read_again(known);
  if (!record) return at_work_ms;
  const std::int64_t timeout = record->idle_timeout_ms;
  const paused_marker marker(*record);
  if (timeout == 0) return at_work_ms;  // it was told so a moment ago
  if (marker.is_there()) return timeout;
  if (const auto idle = since_last_exec_ms(*record); idle < timeout) return timeout - idle;
  if (somebody_is_there(*record, false)) return timeout;

  if (record->hibernates && command) {
    // It asks the guest itself. Where that fails, as on a disk that is full, it sleeps in memory.
    lock = make_error(errc::again, "guest", "given up");
    const int code = command.run(*record, "--hibernate", hibernation_ms);
    if (code == 0) return 0;
    if (code == reap_in_use) return at_work_ms;
    lock = directory_lock::try_lock(known.directory);
    const auto now = lock ? read_again(known) : std::nullopt;
    if (!now || marker.is_there()) return at_work_ms;
  }

  guest_link guest(*record);
  if (!guest.say(guest_frame_kind::hello, encode(guest_hello{guest_protocol_version, BERTH_VERSION_STRING})))
    return timeout;
  const auto greeting = guest.hear<guest_hello>(guest_frame_kind::greeting);
  if (!greeting || greeting->version != guest_protocol_version) return timeout;
  if (!guest.say(guest_frame_kind::rest, encode(guest_rest{static_cast<std::uint32_t>(timeout)}))) return timeout;
  const auto idle = guest.hear<guest_rest>(guest_frame_kind::idle_for);
  if (!idle) return timeout;
  if (idle->ms < timeout) return timeout - idle->ms;

  // From here on it takes nothing from anybody until `guest` is gone: who comes now is seen below, or by the watch.
  if (!marker.write(true)) return timeout;
  // Who starts a runsc looks the other way round: at the marker once it has touched that directory.
  if (since_last_exec_ms(*record) < timeout) {
    marker.remove();
    return timeout;
  }
  if (run_runsc(*record, "pause") && !somebody_is_there(*record, true)) return 0;
  if (go_on(*record)) marker.remove();
  return timeout;
}

void wake(const sandbox_record& known) {
  // Whoever holds it is at work for a moment, or wakes it as well.
  const time_point deadline = clock::now() + milliseconds(runsc_ms);
  for (;;) {
    const auto lock = directory_lock::try_lock(known.directory);
    if (!lock) {
      if (lock.error().code != errc::again || clock::now() >= deadline) return;
      pause_for(5);
      continue;
    }
    const auto record = read_again(known);
    if (!record) return;
    const paused_marker marker(*record);
    if (marker.says_asleep() && go_on(*record)) marker.remove();
    return;
  }
}

}  // namespace berth::guest

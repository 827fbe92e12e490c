// SPDX-License-Identifier: Apache-2.0
// Commands through a sandbox's guest: no process on the host, and a quarter of runsc exec's time.
#pragma once

#include <berth/guest/executor.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/sandbox/detail/bundle.hpp>
#include <berth/sandbox/detail/exec_process.hpp>
#include <berth/sandbox/detail/state_directory.hpp>
#include <berth/sandbox/exit_reason.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <utility>

namespace berth {

namespace detail {

/// A command that the guest of a sandbox of berth's runs. It ends as one of `runsc exec` does: with 128 + signal.
class sandbox_guest_command final : public guest_command {
 public:
  sandbox_guest_command(std::unique_ptr<guest_command> inside, sandbox_record owner)
      : inside_(std::move(inside)), owner_(std::move(owner)) {}

  boost::asio::awaitable<result<exit_status>> wait(time_point deadline) override {
    auto ended = co_await inside_->wait(deadline);
    if (ended) co_return exit_status{ended->shell_code(), 0};
    if (ended.error().code != errc::sandbox_not_running) co_return ended;
    // The connection is cut before the kernel has cleared the sandbox's process away.
    for (int i = 0; i < 40 && owner_.process_alive(); ++i) {
      auto nap = pause_for(milliseconds(25));
      if (!co_await std::move(nap)) break;
    }
    error e = std::move(ended).error();
    if (owner_.process_alive()) {
      e.code = errc::io;
      e.message = "the sandbox broke the connection of the command off";
      e.hint = "something in it may have killed or replaced berth's guest";
      co_return e;
    }
    co_return not_running_error(owner_, "the sandbox ended while the command ran");
  }

  boost::asio::awaitable<result<void>> signal(int signo) override { return inside_->signal(signo); }
  boost::asio::awaitable<result<void>> write(std::string_view data) override { return inside_->write(data); }
  void close_stdin() override { inside_->close_stdin(); }
  std::string output(output_stream which) const override { return inside_->output(which); }
  std::optional<exit_status> status() const override {
    const auto ended = inside_->status();
    return ended ? std::optional<exit_status>(exit_status{ended->shell_code(), 0}) : std::nullopt;
  }
  pid_t pid() const override { return inside_->pid(); }
  void resize(guest_terminal_size size) override { inside_->resize(size); }

 private:
  std::unique_ptr<guest_command> inside_;
  sandbox_record owner_;
};

/// Whether a guest takes the command: gVisor holds what a process inside executes to Linux's limits (128 KiB for a string,
/// 2 MiB for all), and a command of runsc's to none (release-20260701.0).
inline bool fits_guest(const command& what) {
  std::size_t total = 0;
  for (const auto* words : {&what.argv, &what.env}) {
    for (const std::string& word : *words) {
      if (word.size() >= 128 * 1024) return false;
      total += word.size() + 1 + sizeof(char*);
    }
  }
  return total <= 1024 * 1024;
}

/// How long a guest may take to listen: that of a sandbox that was made in the last seconds, on a loaded host, some time; one
/// that is being saved, or was just restored, as long as that takes.
class listening_patience {
 public:
  listening_patience(const listening_patience&) = delete;
  listening_patience& operator=(const listening_patience&) = delete;
  explicit listening_patience(const sandbox_record& record)
      : directory_(record.directory),
        wake_(record.shared() + "/" + std::string(guest_wake_name)),
        process_(record.sandbox_process) {
    // By its process and not by its record, which is older where the host was slow to make the rest.
    const std::int64_t ticks = ::sysconf(_SC_CLK_TCK);
    timespec up{};
    ::clock_gettime(CLOCK_BOOTTIME, &up);
    const auto age = up.tv_sec - static_cast<std::int64_t>(record.sandbox_process.start_time) / ticks;
    young_ = age >= 0 && age < 10;
  }
  ~listening_patience() {
    if (called_) ::unlink(wake_.c_str());
  }
  /// Whether an attempt that met `code` may be made again; after a pause then.
  bool allows(errc code) {
    // Cut off before anything was asked: by a guest that retreats, or with the sandbox.
    const bool cut = code == errc::sandbox_not_running;
    if ((code != errc::not_found && code != errc::again && !cut) || !process_.alive()) return false;
    if (!cut && young_ && clock::now() < until_) return true;
    if (called_) return clock::now() < called_until_;
    // Who saves it, or removes it, holds the lock of its directory.
    const auto lock = directory_lock::try_lock(directory_);
    if (!lock && lock.error().code == errc::again) return clock::now() < saved_until_;
    if (::access(wake_.c_str(), F_OK) == 0) return clock::now() < saved_until_;
    if (!lock || code != errc::not_found) return false;
    // It may have been told to retreat by somebody who was killed then, and would stay so for 10 s.
    called_ = true;
    called_until_ = deadline_after(seconds(1));
    return static_cast<bool>(replace_file(wake_, encode(guest_wake{}), 0600, "sandbox"));
  }

 private:
  std::string directory_, wake_;
  process_identity process_;
  bool young_ = false, called_ = false;
  time_point until_ = deadline_after(seconds(5));
  time_point saved_until_ = deadline_after(seconds(60)), called_until_;
};

inline error no_guest_error(const sandbox_record& record) {
  return make_error(errc::unsupported, "sandbox", "the sandbox has no guest that this berth speaks with", record.id,
                    "use the berth that made the sandbox, or make it anew");
}

}  // namespace detail

BERTH_DECL bool sandbox::goes_by_guest(const command& what, const stdio_options& io) const {
  // A terminal of the host's is handed over as it is.
  return !runsc_only_ && record_.guest == guest_protocol_version && detail::fits_guest(what) &&
         !detail::is_on_terminal(io);
}

BERTH_DECL boost::asio::awaitable<guest_attempt> sandbox::attempt_by_guest(
    command what, stdio_options io, std::optional<guest_terminal_size> terminal) {
  guest_executor guest(shared_path(guest_socket_name));
  guest.patience = seconds(5);
  detail::listening_patience listening(record_);
  for (;;) {
    command this_time = what;
    stdio_options streams = io;
    auto work = guest.attempt(std::move(this_time), std::move(streams), terminal);
    guest_attempt made = co_await std::move(work);
    if (made.running || made.asked || !listening.allows(made.failed.code)) co_return made;
    const milliseconds pause(2);
    const bool waited = co_await pause_for(pause);
    if (!waited) {
      made.failed = make_error(errc::cancelled, "sandbox", "cancelled");
      co_return made;
    }
  }
}

BERTH_DECL boost::asio::awaitable<result<guest_channel>> sandbox::open_guest(time_point deadline) {
  auto self = shared_from_this();
  auto waking = be_awake();
  BERTH_CO_TRY(co_await std::move(waking));
  if (record_.guest != guest_protocol_version) co_return detail::no_guest_error(record_);
  detail::listening_patience listening(record_);
  std::optional<error> cut;
  for (;;) {
    std::string path = shared_path(guest_socket_name);
    auto opening = guest_channel::open(std::move(path), deadline);
    auto channel = co_await std::move(opening);
    if (channel) co_return channel;
    error why = std::move(channel).error();
    if (why.code == errc::sandbox_not_running) cut = why;
    if (!listening.allows(why.code)) {
      if (cut && !record_.process_alive()) co_return std::move(*cut);
      // It fell asleep after it was looked at.
      if (is_asleep() && clock::now() < deadline) {
        auto again = open_guest(deadline);
        co_return co_await std::move(again);
      }
      if (why.code != errc::not_found && why.code != errc::again) co_return why;
      error e = make_error(why.code, "sandbox", "the sandbox's guest does not answer", record_.id,
                           "its first process may have been replaced or stopped; " + record_.init_log() +
                               " may tell, and the sandbox can only be removed");
      e.detail = why.to_string();
      co_return e;
    }
    const milliseconds pause(2);
    const bool waited = co_await pause_for(pause);
    if (!waited) co_return make_error(errc::cancelled, "sandbox", "cancelled");
  }
}

namespace detail {

inline boost::asio::awaitable<result<guest_channel>> open_guest_of(std::weak_ptr<sandbox> whose, time_point deadline) {
  const auto box = whose.lock();
  if (!box) co_return make_error(errc::closed, "sandbox", "the handle of the sandbox is gone");
  auto opening = box->open_guest(deadline);
  co_return co_await std::move(opening);
}

}  // namespace detail

BERTH_DECL guest_files& sandbox::files() {
  if (!files_) {
    const std::weak_ptr<sandbox> self = weak_from_this();
    files_.emplace([self](time_point deadline) { return detail::open_guest_of(self, deadline); });
  }
  return *files_;
}

BERTH_DECL boost::asio::awaitable<result<std::unique_ptr<guest_command>>> sandbox::start_terminal(
    command what, stdio_options io, guest_terminal_size size) {
  auto self = shared_from_this();
  auto waking = be_awake();
  BERTH_CO_TRY(co_await std::move(waking));
  BERTH_CO_TRY(detail::check_exec_command(what));
  guest_attempt made;
  if (record_.guest == guest_protocol_version) {
    auto attempting = attempt_by_guest(std::move(what), std::move(io), size);
    made = co_await std::move(attempting);
  } else {
    made.failed = detail::no_guest_error(record_);
  }
  if (!made.running) {
    error e = std::move(made.failed);
    if (made.asked || e.code == errc::cancelled) co_return e;
    const std::string why = e.to_string();
    e = make_error(errc::unsupported, "sandbox", "no terminal can be made: the sandbox's guest does not answer",
                   record_.id, "a command without a terminal goes by runsc exec then");
    e.detail = why;
    co_return e;
  }
  std::unique_ptr<guest_command> running =
      std::make_unique<detail::sandbox_guest_command>(std::move(made.running), record_);
  co_return running;
}

}  // namespace berth

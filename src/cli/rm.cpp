// SPDX-License-Identifier: Apache-2.0
// `berth rm`: ends sandboxes and removes all that belongs to them.
#include "lookup.hpp"
#include "loop.hpp"

#include <berth/base/unique_fd.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

namespace berth::cli {
namespace {

struct rm_call {
  std::vector<std::string> ids;
  bool force = false;
  std::string timeout = "45";  // containers, TERM and KILL of dockerd have 25 s, runsc the rest
};

// One sandbox on its way out.
struct removal {
  std::string id;
  std::shared_ptr<sandbox> box;
  unique_fd runner;      ///< the pidfd of the `berth run` in the foreground that it is of
  bool at_once = false;  ///< nothing inside could be stopped in order
  std::optional<error> failure;
};

// The pidfd of a process that is still the one that was meant: opened first, then compared, so that it cannot be another.
unique_fd open_process(const process_identity& who) {
  if (!who || who.pid == ::getpid()) return {};
  unique_fd fd(static_cast<int>(::syscall(SYS_pidfd_open, who.pid, 0)));
  if (!fd || !(process_identity::of(who.pid) == who) || !who.alive()) return {};
  return fd;
}

// Whether the process runs the berth command: ours, or another one of that name.
bool runs_berth(pid_t pid) {
  struct stat its {};
  struct stat own {};
  const std::string exe = "/proc/" + std::to_string(pid) + "/exe";
  if (::stat(exe.c_str(), &its) != 0) return false;
  if (::stat("/proc/self/exe", &own) == 0 && its.st_dev == own.st_dev && its.st_ino == own.st_ino) return true;
  std::error_code failed;
  const std::string name = std::filesystem::read_symlink(exe, failed).filename();
  return name == "berth" || name == "berth (deleted)";
}

void wait_for_exit(const unique_fd& process, time_point deadline) {
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock::now()).count();
    if (left <= 0) return;
    struct pollfd wait {
      process.get(), POLLIN, 0
    };
    if (::poll(&wait, 1, static_cast<int>(std::min<long long>(left, 1000))) > 0) return;
  }
}

boost::asio::awaitable<void> stop_kept(std::shared_ptr<sandbox> box, time_point deadline) {
  const auto guest = read_guest_status(box->record());
  if (!guest) co_return;
  const bool docker = guest->docker.state == daemon_state::starting || guest->docker.state == daemon_state::ready;
  if (!docker && !(guest->command && guest->command->now == kept_command::state::running)) co_return;
  guest_daemon kept(box);
  auto stopping = kept.stop(deadline);
  (void)co_await std::move(stopping);  // the sandbox goes away whatever became of it
}

boost::asio::awaitable<void> end_one(std::shared_ptr<sandbox> box, bool force, time_point deadline,
                                     std::optional<error>& failure) {
  if (!force && !is_stopped(box->record().sandbox_process)) {
    // A paused one stops nothing in order.
    if (box->is_paused()) {
      auto resuming = box->resume(std::max<duration>(milliseconds(100), deadline - clock::now()));
      (void)co_await std::move(resuming);
    }
    auto stopping = stop_kept(box, deadline);
    co_await std::move(stopping);
  }
  const duration at_least = force ? milliseconds(1900) : milliseconds(900);
  const duration patience = force ? at_least : std::max(at_least, deadline - clock::now());
  auto ending = box->terminate(patience);
  auto gone = co_await std::move(ending);
  if (!gone) failure = std::move(gone).error();
}

void remove_all(std::vector<removal>& list, const environment& where, bool force, duration limit) {
  // All are told first, so that they stop side by side.
  for (removal& r : list) {
    if (!r.box) continue;
    const sandbox_record& record = r.box->record();
    const auto purpose = read_purpose(record.directory);
    if (record.damaged || !purpose || purpose->detached) continue;
    // It is its own to stop what it runs, and to say how that ended.
    r.at_once = force || is_stopped(record.sandbox_process);
    if (record.boot_id == read_boot_id()) r.runner = open_process(record.creator);
    if (r.runner && !runs_berth(record.creator.pid)) r.runner.reset();
    if (r.runner) ::syscall(SYS_pidfd_send_signal, r.runner.get(), r.at_once ? SIGKILL : SIGTERM, nullptr, 0);
  }
  const time_point deadline = deadline_after(limit);
  boost::asio::io_context loop(1);
  for (removal& r : list) {
    if (!r.box) continue;
    if (r.runner) {
      wait_for_exit(r.runner, r.at_once ? std::min(deadline, deadline_after(seconds(1))) : deadline);
      // One that hangs must not hold the sandbox any longer.
      ::syscall(SYS_pidfd_send_signal, r.runner.get(), SIGKILL, nullptr, 0);
    }
    auto left = sandbox::attach(where, r.id);
    if (!left) {
      if (left.error().code != errc::not_found) r.failure = std::move(left).error();
      continue;
    }
    boost::asio::co_spawn(loop, end_one(std::move(*left), force, deadline, r.failure), boost::asio::detached);
  }
  loop.run();
}

int act(const rm_call& c, invocation& call) {
  const auto limit = parse_duration(c.timeout, "--timeout");
  if (!limit) return fail(limit.error(), call);
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;

  int code = exit_ok;
  std::vector<removal> list;
  for (const std::string& id : c.ids) {
    removal r;
    r.id = id;
    auto box = find_sandbox(*where, id);
    if (box) {
      r.box = std::move(*box);
    } else {
      r.failure = std::move(box).error();
    }
    list.push_back(std::move(r));
  }
  remove_all(list, *where, c.force, *limit);

  std::vector<std::string> removed;
  std::string text;
  for (const removal& r : list) {
    if (!r.failure) {
      removed.push_back(r.id);
      text += r.id + "\n";
      continue;
    }
    const int failed = fail_lookup(*r.failure, call);
    if (code == exit_ok || failed == exit_failed) code = failed;
  }
  const bool printed = call.common.json ? print_member("removed", removed) : print_text(text);
  return printed ? code : int{exit_failed};
}

}  // namespace

void add_rm(CLI::App& app, invocation& call) {
  auto c = std::make_shared<rm_call>();
  app.add_option("ID", c->ids, "the sandboxes")->required();
  app.add_flag("-f,--force", c->force, "at once, without stopping containers first");
  app.add_option("--timeout", c->timeout, "how long they may take to stop before they are killed (default: 45)")
      ->type_name("SECONDS");
  add_examples(app, {"berth rm box", "berth rm $(berth ls --ids)"});
  app.callback([c, &call] { call.act = [c, &call] { return act(*c, call); }; });
}

}  // namespace berth::cli

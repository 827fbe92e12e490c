// `berth rm`: ends sandboxes and removes all that belongs to them.
#include "lookup.hpp"
#include "loop.hpp"

#include <berth/base/unique_fd.hpp>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

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
  unique_fd keeper;  ///< the pidfd of the process that keeps it, where one of ours does
  std::optional<error> failure;
};

// The pidfd of a process that is still the one that was meant: opened first, then compared, so that it cannot be another.
unique_fd open_process(const process_identity& who) {
  if (!who || who.pid == ::getpid()) return {};
  unique_fd fd(static_cast<int>(::syscall(SYS_pidfd_open, who.pid, 0)));
  if (!fd || !(process_identity::of(who.pid) == who) || !who.alive()) return {};
  return fd;
}

void wait_for_exit(const unique_fd& process, time_point deadline) {
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock::now()).count();
    if (left <= 0) return;
    struct pollfd wait{process.get(), POLLIN, 0};
    if (::poll(&wait, 1, static_cast<int>(std::min<long long>(left, 1000))) > 0) return;
  }
}

void remove_all(std::vector<removal>& list, const environment& where, bool force, duration limit) {
  // All are told first, so that they stop side by side.
  for (removal& r : list) {
    if (!r.box) continue;
    const auto status = read_status(r.box->record().directory);
    if (!status) continue;  // another program keeps it, or nobody: its record is enough to remove it
    r.keeper = open_process(status->keeper);
    if (r.keeper) ::syscall(SYS_pidfd_send_signal, r.keeper.get(), force ? SIGKILL : SIGTERM, nullptr, 0);
  }
  const time_point deadline = deadline_after(limit);
  for (removal& r : list) {
    if (!r.box) continue;
    if (r.keeper) {
      wait_for_exit(r.keeper, deadline);
      // One that hangs must not hold the sandbox any longer.
      ::syscall(SYS_pidfd_send_signal, r.keeper.get(), SIGKILL, nullptr, 0);
    }
    auto left = sandbox::attach(where, r.id);
    if (!left) {
      if (left.error().code != errc::not_found) r.failure = std::move(left).error();
      continue;
    }
    if (auto gone = run_loop((*left)->terminate()); !gone) r.failure = std::move(gone).error();
  }
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

  json removed = json::array();
  std::string text;
  for (const removal& r : list) {
    if (!r.failure) {
      removed.push(r.id);
      text += r.id + "\n";
      continue;
    }
    const int failed = fail_lookup(*r.failure, call);
    if (code == exit_ok || failed == exit_failed) code = failed;
  }
  const bool printed = call.common.json ? print_json(json::object().set("removed", std::move(removed))) : print_text(text);
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

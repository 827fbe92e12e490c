// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/hints.hpp>
#include <berth/impl/sandbox/config.ipp>
#include <berth/process/cancellation.hpp>
#include <berth/runsc/args.hpp>
#include <berth/sandbox/detail/host_resources.hpp>
#include <berth/sandbox/detail/remove.hpp>
#include <berth/sandbox/detail/runsc_client.hpp>
#include <berth/sandbox/detail/sleeper.hpp>
#include <berth/sandbox/detail/state_directory.hpp>
#include <berth/sandbox/find_runsc.hpp>
#include <berth/impl/sandbox/exec_by_guest.ipp>
#include <berth/sandbox/paused_marker.hpp>
#include <berth/sandbox/sandbox_sockets.hpp>
#include <berth/sandbox/name_service.hpp>
#include <berth/sandbox/sandbox.hpp>
#include <berth/sandbox/root_watch.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>

namespace berth {

BERTH_DECL std::string_view sandbox_state_name(sandbox_state state) noexcept {
  switch (state) {
    case sandbox_state::creating: return "creating";
    case sandbox_state::running: return "running";
    case sandbox_state::paused: return "paused";
    case sandbox_state::asleep: return "asleep";
    case sandbox_state::hibernated: return "hibernated";
    case sandbox_state::unresponsive: return "unresponsive";
    case sandbox_state::stopped: return "stopped";
    case sandbox_state::lost: return "lost";
  }
  return "";
}

BERTH_DECL boost::asio::awaitable<result<std::shared_ptr<sandbox>>> sandbox::create(environment where,
                                                                                    sandbox_config what) {
  auto work = detail::create_sandbox(where, std::move(what));
  auto made = co_await cancellation_as_error(std::move(work));
  if (!made) co_return std::move(made).error();
  std::shared_ptr<sandbox> handle(new sandbox(std::move(where), std::move(made->root), std::move(made->record)));
  handle->runsc_ = std::move(made->binary);
  co_return handle;
}

BERTH_DECL result<std::shared_ptr<sandbox>> sandbox::attach(environment where, std::string id) {
  BERTH_TRY(check_sandbox_id(id));
  const auto none = [&id] {
    return make_error(errc::not_found, "sandbox", "there is no sandbox of this id", id, hints::list_sandboxes());
  };
  auto root = find_root(where.root);
  if (!root) {
    if (root.error().code == errc::not_found) return none();
    return std::move(root).error();
  }
  const std::string directory = *root + "/" + id;
  auto record = read_record(directory);
  if (!record) {
    error e = std::move(record).error();
    if (!detail::is_state_directory(directory)) return none();
    if (e.code != errc::not_found && e.code != errc::record_damaged) return e;
    sandbox_record damaged;
    damaged.id = id;
    damaged.directory = directory;
    damaged.damaged = true;
    damaged.damage = e.to_string();
    record = std::move(damaged);
  }
  if (record->watched) revive_watch(where, *root, {*record});
  revive_names(where, *root, {*record});
  return std::shared_ptr<sandbox>(new sandbox(std::move(where), std::move(*root), std::move(*record)));
}

BERTH_DECL environment sandbox::runsc_place() const {
  environment where = where_;
  where.root = root_;
  if (!record_.runsc.empty()) where.runsc = record_.runsc;  // the one that made it speaks its dialect
  return where;
}

BERTH_DECL result<runsc_binary> sandbox::runsc() {
  if (!runsc_) {
    auto found = find_sandbox_runsc_blocking(runsc_place());
    if (!found) return found;
    runsc_ = std::move(*found);
  }
  return *runsc_;
}

BERTH_DECL boost::asio::awaitable<result<runsc_binary>> sandbox::runsc_by(time_point deadline) {
  if (!runsc_) {
    environment where = runsc_place();
    auto found = co_await find_sandbox_runsc(std::move(where), deadline);
    if (!found) co_return found;
    runsc_ = std::move(*found);
  }
  co_return *runsc_;
}

BERTH_DECL boost::asio::awaitable<result<sandbox_state>> sandbox::find_state(duration patience) {
  const time_point deadline = deadline_after(patience);
  auto record = read_record(record_.directory);
  if (!record) co_return std::move(record).error();
  if (!record_.token.empty() && record->token != record_.token) {
    co_return make_error(errc::not_found, "sandbox", "the sandbox was removed, and another has its id", record_.id);
  }
  record_ = std::move(*record);
  const std::string boot_id = read_boot_id();
  if (record_.boot_id != boot_id && !boot_id.empty()) co_return sandbox_state::lost;
  if (record_.phase == record_phase::creating) {
    // While somebody is at work the lock is held.
    auto lock = detail::directory_lock::try_lock(record_.directory);
    co_return !lock && lock.error().code == errc::again ? sandbox_state::creating : sandbox_state::lost;
  }
  if (record_.is_hibernated()) co_return sandbox_state::hibernated;
  // Not by `runsc state`: it takes a zombie, which waits for a slow init to reap it, for a running sandbox.
  if (record_.phase == record_phase::removing || !record_.sandbox_process.alive()) co_return sandbox_state::stopped;
  if (is_stopped(record_.sandbox_process)) co_return sandbox_state::unresponsive;
  if (patience <= duration::zero() && !is_paused()) co_return sandbox_state::running;
  if (patience <= duration::zero()) co_return is_asleep() ? sandbox_state::asleep : sandbox_state::paused;
  auto binary = co_await runsc_by(deadline);
  if (!binary && binary.error().code == errc::timeout) co_return sandbox_state::unresponsive;
  if (!binary) co_return std::move(binary).error();
  auto argv = runsc_state_argv(*binary, globals(), record_.container_id());
  if (!argv) co_return std::move(argv).error();
  auto text = co_await detail::run_runsc(std::move(*argv), deadline);
  if (!record_.sandbox_process.alive()) co_return sandbox_state::stopped;
  if (!text && text.error().code == errc::timeout) co_return sandbox_state::unresponsive;
  if (!text) co_return std::move(text).error();
  auto state = parse_runsc_state(*text);
  if (!state) co_return std::move(state).error();
  if (state->status == runsc_status::paused) co_return is_asleep() ? sandbox_state::asleep : sandbox_state::paused;
  if (state->status == runsc_status::stopped) co_return sandbox_state::stopped;
  co_return sandbox_state::running;
}

BERTH_DECL boost::asio::awaitable<result<sandbox_state>> sandbox::state(duration patience) {
  auto self = shared_from_this();
  auto work = find_state(patience);
  auto found = co_await cancellation_as_error(std::move(work));
  co_return found;
}

BERTH_DECL result<void> sandbox::read_record_again() {
  auto record = read_record(record_.directory);
  if (!record || record->token != record_.token) {
    if (!record && record.error().code != errc::not_found) return std::move(record).error();
    return make_error(errc::not_found, "sandbox", "the sandbox was removed", record_.id);
  }
  record_ = std::move(*record);
  return {};
}

BERTH_DECL bool sandbox::lives() {
  // One that was hibernated since it was last looked at has another process by now, or none.
  return record_.process_alive() || (!record_.damaged && read_record_again() && record_.lives());
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::wait_stopped(time_point deadline) {
  auto self = shared_from_this();
  if (record_.phase == record_phase::creating) BERTH_CO_TRY(check_running());
  milliseconds pause(5);
  while (lives()) {
    if (clock::now() >= deadline) co_return make_error(errc::timeout, "sandbox", "the sandbox still runs", record_.id);
    auto nap = pause_for(pause);
    if (!co_await std::move(nap)) co_return make_error(errc::cancelled, "sandbox", "cancelled");
    pause = std::min(pause * 2, milliseconds(100));
  }
  co_return result<void>();
}

BERTH_DECL result<std::string> sandbox::logs(sandbox_log which, std::size_t limit) const {
  const std::string path = which == sandbox_log::init     ? record_.init_log()
                           : which == sandbox_log::daemon ? record_.daemon_log()
                                                          : record_.command_log();
  auto text = read_file_end(path, limit, "sandbox");
  if (text || text.error().code != errc::not_found) return text;
  if (::access(record_.logs().c_str(), F_OK) == 0) return std::string();
  return make_error(errc::not_found, "sandbox", "the sandbox was removed", record_.id);
}

namespace detail {

/// Changes the record of `mine` on disk by `change`, whose error leaves it as it was, and gives it. For the holder of nothing:
/// the directory's lock is taken.
template <class Change>
boost::asio::awaitable<result<sandbox_record>> change_record(sandbox_record mine, Change change) {
  const time_point deadline = deadline_after(seconds(30));
  auto waiting = directory_lock::lock(mine.directory, deadline);
  auto lock = co_await cancellation_as_error(std::move(waiting));
  if (!lock) co_return std::move(lock).error();
  auto record = read_record(mine.directory);
  if (!record) co_return std::move(record).error();
  if (record->token != mine.token) {
    co_return make_error(errc::not_found, "sandbox", "the sandbox was removed, and another has its id", mine.id);
  }
  auto changed = change(*record);
  if (!changed) co_return std::move(changed).error();
  auto written = write_record(*record);
  if (!written) co_return std::move(written).error();
  co_return std::move(*record);
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::annotate(std::string key, std::string value) {
  auto self = shared_from_this();
  if (key.empty()) co_return make_error(errc::invalid, "sandbox", "the annotation has no key");
  std::function<result<void>(sandbox_record&)> change = [&key, &value](sandbox_record& record) {
    auto& list = record.annotations;
    const auto there = std::find_if(list.begin(), list.end(), [&](const auto& pair) { return pair.first == key; });
    if (value.empty()) {
      if (there != list.end()) list.erase(there);
    } else if (there != list.end()) {
      there->second = std::move(value);
    } else {
      list.emplace_back(std::move(key), std::move(value));
    }
    return detail::check_annotations(list);
  };
  auto changing = detail::change_record(record_, std::move(change));
  auto record = co_await std::move(changing);
  if (!record) co_return std::move(record).error();
  record_ = std::move(*record);
  co_return result<void>();
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::hand_over() {
  auto self = shared_from_this();
  std::function<result<void>(sandbox_record&)> change = [](sandbox_record& record) {
    record.ends_with_creator = false;
    return result<void>();
  };
  auto changing = detail::change_record(record_, std::move(change));
  auto record = co_await std::move(changing);
  if (!record) co_return std::move(record).error();
  record_ = std::move(*record);
  co_return result<void>();
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::set_idle_timeout(duration how_long) {
  auto self = shared_from_this();
  BERTH_CO_TRY(detail::check_idle_timeout(how_long, record_.shared_directory));
  if (how_long != duration::zero()) {
    BERTH_CO_TRY(find_sandbox_sockets(record_));  // what it is woken by
    if (record_.guest != guest_protocol_version) co_return detail::no_guest_error(record_);
  }
  const std::int64_t ms = std::chrono::duration_cast<milliseconds>(how_long).count();
  std::function<result<void>(sandbox_record&)> change = [ms](sandbox_record& record) {
    record.idle_timeout_ms = ms;
    record.watched = record.watched || ms != 0;
    return result<void>();
  };
  auto changing = detail::change_record(record_, std::move(change));
  auto record = co_await std::move(changing);
  if (!record) co_return std::move(record).error();
  record_ = std::move(*record);
  if (ms == 0) co_return result<void>();
  const auto init = find_init(where_);
  co_return init ? ensure_watch(root_, *init) : result<void>(init.error());
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::claim(pool_claim what) {
  auto self = shared_from_this();
  BERTH_CO_TRY(detail::check_annotations(what.annotations));
  BERTH_CO_TRY(detail::check_sleep(what.idle_timeout, what.hibernate, record_.network, record_.shared_directory));
  if (auto lock = detail::directory_lock::try_lock(record_.directory)) {
    auto record = read_record(record_.directory);
    if (!record) co_return std::move(record).error();
    if (record->token != record_.token || !record->waits_in_pool() || !record->process_alive())
      co_return make_error(errc::again, "sandbox", "the sandbox waits in no pool any more", record_.id);
    record->pool.reset();
    record->annotations = std::move(what.annotations);
    record->creator = process_identity::of(::getpid());
    record->ends_with_creator = true;
    record->idle_timeout_ms = std::chrono::duration_cast<milliseconds>(what.idle_timeout).count();
    record->hibernates = what.hibernate;
    record->watched =
        what.watch_creator || what.owner || what.lifetime != duration::zero() || record->idle_timeout_ms != 0;
    record->owner = what.owner;
    record->ends_at_ms = 0;
    if (what.lifetime != duration::zero())
      record->ends_at_ms = boot_time_ms() + std::chrono::duration_cast<milliseconds>(what.lifetime).count();
    if (record->idle_timeout_ms != 0) {
      const auto init = find_init(where_);
      if (!init) co_return init.error();
      BERTH_CO_TRY(detail::check_sleeper(*record, *init));
    }
    BERTH_CO_TRY(write_record(*record));
    record_ = std::move(*record);
  } else {
    co_return std::move(lock).error();
  }
  // Whoever is killed from here on leaves it to collect_garbage, which sees that its creator is gone; or to the watch, at once.
  result<void> ready;
  if (record_.watched) {
    const auto init = find_init(where_);
    ready = init ? ensure_watch(root_, *init) : result<void>(init.error());
  }
  if (ready && is_asleep()) {
    auto waking = go_on(true, deadline_after(seconds(30)));
    ready = co_await cancellation_as_error(std::move(waking));
  }
  if (ready) co_return result<void>();
  auto ending = past_cancellation(terminate());
  (void)co_await std::move(ending);
  co_return ready.error();
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::stop(duration patience) {
  auto self = shared_from_this();
  const time_point deadline = deadline_after(patience);
  if (record_.phase == record_phase::creating) BERTH_CO_TRY(check_running());
  if (!lives()) co_return result<void>();
  if (record_.is_hibernated()) {
    auto ending = drop_hibernation(deadline);
    co_return co_await std::move(ending);
  }
  if (is_paused()) {                              // runsc signals none that is (20260701.0)
    auto going_on = set_paused(false, deadline);  // with or without its lock
    const auto goes_on = co_await cancellation_as_error(std::move(going_on));
    if (goes_on) paused_marker(record_).remove();
  }
  auto finding = runsc_by(deadline);
  auto binary = co_await std::move(finding);
  if (!binary) co_return std::move(binary).error();
  runsc_kill_options everything;
  everything.signal = SIGKILL;
  everything.all = true;
  spawn_options options;
  auto argv = runsc_kill_argv(*binary, globals(), record_.container_id(), everything);
  if (!argv) co_return std::move(argv).error();
  options.argv = std::move(*argv);
  options.env = minimal_environment();
  stdio_options io;
  auto killing = run_process(std::move(options), std::move(io), deadline);
  auto killed = co_await std::move(killing);
  if (!killed) co_return std::move(killed).error();
  auto waiting = wait_stopped(deadline);
  co_return co_await std::move(waiting);
}

namespace detail {

inline boost::asio::awaitable<result<void>> terminate_sandbox(environment where, std::string root, sandbox_record mine,
                                                              duration patience) {
  const time_point deadline = deadline_after(patience);
  auto lock = co_await directory_lock::lock(mine.directory, deadline);
  if (!lock) {
    if (lock.error().code == errc::not_found) co_return result<void>();
    co_return std::move(lock).error();
  }
  auto record = read_record(mine.directory);
  if (record) {
    // Another sandbox has the id by now: ours is gone.
    if (!mine.damaged && record->token != mine.token) co_return result<void>();
    mine = std::move(*record);
  } else if (lacks_resources(record.error())) {
    co_return std::move(record).error();
  } else if (!mine.damaged) {
    log(where.log, log_level::warn, "the sandbox's record was lost; removing by what was known of it",
        {{"id", mine.id}, {"cause", record.error().message}});
  }
  const bool damaged = mine.damaged;
  const duration left = std::max(deadline - clock::now(), duration(seconds(1)));
  BERTH_CO_TRY(co_await remove_resources(where, std::move(mine), left));
  // What a damaged record does not say: with its directory gone, its network is one that no record speaks of.
  collected_garbage orphans;
  if (damaged) co_return co_await remove_orphans(std::move(root), where.log, &orphans);
  co_return result<void>();
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::terminate(duration patience) {
  auto self = shared_from_this();
  auto work = detail::terminate_sandbox(where_, root_, record_, patience);
  auto gone = co_await cancellation_as_error(std::move(work));
  co_return gone;
}

}  // namespace berth

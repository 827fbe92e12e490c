// SPDX-License-Identifier: Apache-2.0
// A sandbox that sleeps on the disk. It is killed only once its image is whole and its record says so, and the image stays until
// the record says that it runs again: whoever is killed in between leaves the one or the other for the next use.
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/hints.hpp>
#include <berth/impl/sandbox/config.ipp>
#include <berth/impl/sandbox/checkpoint.ipp>
#include <berth/impl/sandbox/pause.ipp>
#include <berth/impl/sandbox/start.ipp>
#include <berth/network/network.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/sandbox/detail/remove.hpp>
#include <berth/sandbox/detail/root_marker.hpp>
#include <berth/sandbox/detail/runsc_client.hpp>
#include <berth/sandbox/detail/runsc_processes.hpp>
#include <berth/sandbox/detail/state_directory.hpp>
#include <berth/sandbox/hibernation.hpp>
#include <berth/sandbox/name_service.hpp>
#include <berth/sandbox/root_watch.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace berth {
namespace detail {

/// What is in runsc's own directory of the sandbox and ends with `end`. Not the mount null-netns, which the next one uses.
inline std::vector<std::string> runsc_files(const sandbox_record& record, std::string_view end) {
  std::vector<std::string> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> all(::opendir(record.runsc_root().c_str()), &::closedir);
  while (const dirent* entry = all ? ::readdir(all.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (name.front() != '.' && name != "null-netns" && name.ends_with(end))
      out.push_back(record.runsc_root() + "/" + std::string(name));
  }
  return out;
}

/// Kills what runs of it, and has runsc forget it: another may be started in its place then.
inline boost::asio::awaitable<result<void>> clear_runsc(sandbox_record record, runsc_binary binary,
                                                        time_point deadline) {
  const auto prefix = find_root_prefix(record.directory.substr(0, record.directory.rfind('/')));
  if (!prefix) co_return prefix.error();
  auto killing = kill_runsc_processes(runsc_owner::of(record, *prefix), deadline);
  BERTH_CO_TRY(co_await std::move(killing));
  if (!runsc_files(record, ".state").empty()) {
    runsc_globals globals;
    globals.root = record.runsc_root();
    runsc_delete_options options;
    options.force = true;
    auto argv = runsc_delete_argv(binary, globals, record.container_id(), options);
    if (!argv) co_return std::move(argv).error();
    auto deleting = run_runsc(std::move(*argv), deadline);
    const auto deleted = co_await std::move(deleting);
    if (!deleted) co_return deleted.error();
  }
  // Of one that was killed while it started: a socket that is there keeps the next one from making its own (20260905.0).
  for (const std::string& path : runsc_files(record, "")) ::unlink(path.c_str());
  co_return result<void>();
}

}  // namespace detail

// Somebody listens for Docker's clients from before the sandbox is hibernated: who finds that it is can use it at once.
BERTH_DECL boost::asio::awaitable<result<void>> sandbox::have_callers_heard(time_point deadline) {
  const auto init = find_init(where_);
  if (!init) co_return init.error();
  BERTH_CO_TRY(ensure_watch(root_, *init));
  const hibernation kept(record_);
  // A watch that has died meanwhile is begun again by the next call, and then listens.
  const time_point soon = std::min(deadline, deadline_after(seconds(10)));
  while (kept.has_docker() && !find_command(*init).empty() && clock::now() < soon &&
         ::access(kept.docker_socket().c_str(), F_OK) != 0) {
    const milliseconds pause(2);
    const bool waited = co_await pause_for(pause);
    if (!waited) break;
  }
  co_return result<void>();
}

// All in there stands still, and its image is whole.
BERTH_DECL boost::asio::awaitable<result<void>> sandbox::end_for_hibernation(time_point deadline) {
  BERTH_CO_TRY(read_record_again());
  sandbox_record record = record_;
  record.phase = record_phase::hibernated;
  record.watched = true;
  BERTH_CO_TRY(write_record(record));
  record_ = record;
  auto binary = co_await runsc_by(deadline);
  if (!binary) co_return std::move(binary).error();
  auto hearing = have_callers_heard(deadline);
  BERTH_CO_TRY(co_await std::move(hearing));
  auto clearing = detail::clear_runsc(std::move(record), std::move(*binary), deadline);
  co_return co_await std::move(clearing);
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::begin_hibernation(duration unused_for, time_point deadline) {
  BERTH_CO_TRY(detail::check_hibernation(record_.network));
  if (const auto init = find_init(where_); !init) co_return init.error();
  save_request what;
  what.directory = hibernation(record_).image();
  what.to_sleep = true;
  what.unused_for = unused_for;
  // Begun, it is done: what comes of it half-way is for the next use.
  what.meanwhile = [this, deadline] { return past_cancellation(end_for_hibernation(deadline)); };
  auto saving = save(std::move(what), deadline);
  co_return co_await std::move(saving);
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::hibernate(duration unused_for, duration patience) {
  auto self = shared_from_this();
  if (lives() && record_.is_hibernated()) co_return result<void>();
  auto work = begin_hibernation(unused_for, deadline_after(patience));
  co_return co_await cancellation_as_error(std::move(work));
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::bring_back(time_point deadline) {
  auto binary = co_await runsc_by(deadline);
  if (!binary) co_return std::move(binary).error();
  const auto init = find_init(where_);
  if (!init) co_return init.error();
  const hibernation saved(record_);
  const auto saved_by = saved.runsc();
  if (saved_by && *saved_by != binary->version().text)
    co_return make_error(errc::unsupported, "sandbox",
                         "the sandbox was saved to the disk by runsc " + *saved_by + ", which is " +
                             binary->version().text + " by now: no other can read it",
                         binary->path(), "put that release back, or " + hints::remove_sandbox(record_.id));
  sandbox_record record = record_;
  auto clearing = detail::clear_runsc(record, *binary, deadline);  // of one who was killed when this was half done
  BERTH_CO_TRY(co_await std::move(clearing));
  if (record.net) {
    auto renewing = renew_addresses(record.names(), record.net->subnet, deadline);
    BERTH_CO_TRY(co_await std::move(renewing));
  }
  BERTH_CO_TRY(detail::write_restored_wake(record, true));
  auto starting = detail::start_runsc(record, saved.image(), *binary, deadline);
  BERTH_CO_TRY(co_await std::move(starting));
  record_ = std::move(record);
  BERTH_CO_TRY(call_hibernation_off());
  paused_marker(record_).remove();
  if (record_.net && record_.net->egress && !record_.net->egress->named.empty())
    BERTH_CO_TRY(ensure_names(root_, *init, record_.token));
  auto waiting = wait_for_guest(deadline);
  co_await std::move(waiting);
  co_return result<void>();
}

// It runs: what was saved of it is over.
BERTH_DECL result<void> sandbox::call_hibernation_off() {
  record_.phase = record_phase::running;
  BERTH_TRY(write_record(record_));
  return detail::remove_tree(hibernation(record_).directory());
}

// It has ended where it was saved.
BERTH_DECL boost::asio::awaitable<result<void>> sandbox::drop_hibernation(time_point deadline) {
  auto waiting = detail::directory_lock::lock(record_.directory, deadline);
  auto lock = co_await std::move(waiting);
  if (!lock) co_return std::move(lock).error();
  BERTH_CO_TRY(read_record_again());
  if (!record_.is_hibernated()) co_return make_error(errc::again, "sandbox", "the sandbox was just woken", record_.id);
  BERTH_CO_TRY(call_hibernation_off());
  paused_marker(record_).remove();
  co_return result<void>();
}

}  // namespace berth

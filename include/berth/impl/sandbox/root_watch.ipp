// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/process/pidfd.hpp>
#include <berth/process/spawn.hpp>
#include <berth/sandbox/root_watch.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace berth {

BERTH_DECL std::int64_t boot_time_ms() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

BERTH_DECL bool needs_watch(const sandbox_record& record, const std::string& boot_id) {
  if (record.damaged || !record.watched || record.phase == record_phase::removing || record.boot_id != boot_id)
    return false;
  if (record.ends_with_creator || record.owner) return true;
  if (record.phase == record_phase::hibernated) return true;
  return (record.ends_at_ms != 0 || record.idle_timeout_ms != 0) &&
         (record.phase == record_phase::creating || record.process_alive());
}

BERTH_DECL bool is_forsaken(const sandbox_record& record) {
  if (record.ends_with_creator && !record.creator.alive()) return true;
  if (record.owner && !record.owner.alive()) return true;
  return ::access((record.directory + "/" + abandoned_name).c_str(), F_OK) == 0;
}

namespace detail {

/// Starts a watch where there is none. Whether there was one, or one on its way.
inline result<bool> start_watch(const unique_fd& lock, const std::string& root, const std::string& init) {
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return true;
    return errno_error(errno, "sandbox", "cannot lock the root directory", root);
  }
  // The lock goes with the descriptor: it is that process's from now on.
  spawn_options options;
  options.argv = {init, "watch", root, find_command(init)};
  options.env = minimal_environment();
  options.fds = {{lock.get(), root_watch_fd}};
  auto started = spawn(options);
  if (!started) return std::move(started).error();
  pollfd ended{started->pidfd.get(), POLLIN, 0};
  while (::poll(&ended, 1, 10'000) < 0 && errno == EINTR) {
  }
  const auto how = child_status(started->pidfd.get(), reap_mode::take);
  if (how && *how && (*how)->success()) return false;
  return make_error(errc::spawn_failed, "sandbox", "the watch over the sandboxes of the root directory did not start",
                    init, "berth-init may be of another release than the library");
}

inline unique_fd open_watched_root(const std::string& root) {
  return unique_fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace detail

BERTH_DECL result<void> ensure_watch(const std::string& root, const std::string& init) {
  const unique_fd lock = detail::open_watched_root(root);
  if (!lock) return errno_error(errno, "sandbox", "cannot open the root directory", root);
  const auto was_there = detail::start_watch(lock, root, init);
  if (!was_there) return was_there.error();
  // It hears of the records of those sandboxes that it had something to do with before, and looks at all of them by this.
  if (*was_there) (void)::futimens(lock.get(), nullptr);
  return {};
}

BERTH_DECL void revive_watch(const environment& where, const std::string& root,
                             const std::vector<sandbox_record>& records) {
  const std::string boot_id = read_boot_id();
  for (const sandbox_record& record : records) {
    if (!needs_watch(record, boot_id)) continue;
    const auto init = find_init(where);
    const unique_fd lock = detail::open_watched_root(root);
    if (init && lock) (void)detail::start_watch(lock, root, *init);
    return;
  }
}

BERTH_DECL creation_guard::creation_guard(const std::string& directory)
    : directory_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)) {}

BERTH_DECL creation_guard::~creation_guard() {
  // By the descriptor: one that was removed meanwhile takes no file, and another of its name is not meant.
  if (directory_)
    (void)unique_fd(::openat(directory_.get(), abandoned_name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
}

}  // namespace berth

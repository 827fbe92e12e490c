// SPDX-License-Identifier: Apache-2.0
// One small process for all sandboxes of a root directory that something has to be done to from outside: one that ends with the
// process that makes or owns it, or whose lifetime ends. Neither that process can do it, which may be killed by SIGKILL, nor the
// sandbox, which is not trusted. It is berth-init, on the host (src/guest/host/root_watch.cpp), and what it goes by are the
// records: it is started when a sandbox needs it and none runs, ends when no sandbox does, and its death is made good by the
// next call that looks at a sandbox.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/sandbox/config.hpp>
#include <berth/sandbox/record.hpp>

#include <string>

namespace berth {

/// The descriptor of the root directory in that process. A flock on it tells that it runs.
inline constexpr int root_watch_fd = 3;
/// `berth reap --hibernate` ends with it where somebody uses the sandbox.
inline constexpr int reap_in_use = 75;
/// In a sandbox's directory: its creation was given up half-way by a process that lives on.
inline constexpr const char* abandoned_name = "abandoned";

/// Whether something has to be done to it once. Of an earlier boot nothing is left that it could be done to.
BERTH_DECL bool needs_watch(const sandbox_record& record, const std::string& boot_id);
/// Whether what it is tied to is gone. Where `needs_watch`.
BERTH_DECL bool is_forsaken(const sandbox_record& record);
/// What its lifetime is measured by: CLOCK_BOOTTIME, which a host that sleeps does not stop.
BERTH_DECL std::int64_t boot_time_ms() noexcept;

/// Sees to it that the watch of `root` runs, and looks at all records, which are written by now. Blocks for some milliseconds where it has to be
/// started. Errors: spawn_failed and spawn's; permission, io.
BERTH_DECL result<void> ensure_watch(const std::string& root, const std::string& init);
/// The same for whoever happens to look at these sandboxes. A failure is for the next one.
BERTH_DECL void revive_watch(const environment& where, const std::string& root,
                             const std::vector<sandbox_record>& records);

/// Held while a sandbox is being made: destroyed before `done`, it tells the watch that nobody goes on with it.
class creation_guard {
 public:
  creation_guard() = default;
  creation_guard(creation_guard&&) = default;
  creation_guard& operator=(creation_guard&&) = default;
  BERTH_DECL explicit creation_guard(const std::string& directory);
  BERTH_DECL ~creation_guard();
  void done() noexcept { directory_.reset(); }

 private:
  unique_fd directory_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/root_watch.ipp>
#endif

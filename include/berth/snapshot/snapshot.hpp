// SPDX-License-Identifier: Apache-2.0
// Sandboxes that are saved as they run, with Docker and its containers in them, and restored as often as wanted.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/managed/purpose.hpp>
#include <berth/sandbox/sandbox.hpp>
#include <berth/snapshot/store.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace berth {

struct snapshot_options {
  bool leave_running = true;         ///< else the sandbox has ended afterwards, and can be removed
  duration patience = seconds(120);  ///< for all of it
};

/// Saves a sandbox of `where` that runs as the snapshot `name`: memory, root file system, all that is on a tmpfs inside. Docker in
/// it is saved with its images, containers, volumes and networks, running containers as they run. A data root that is a directory of
/// the host's is copied meanwhile, by the host's cp; other volumes that were bound are not. It is listed when it is whole, and not
/// before; a failure leaves nothing. A snapshot holds whatever was in memory, secrets too: its files have mode 0600.
/// Errors: exists, invalid; unsupported (a guest of another version); as sandbox::checkpoint.
BERTH_DECL boost::asio::awaitable<result<stored_snapshot>> take_snapshot(environment where,
                                                                         std::shared_ptr<sandbox> box, std::string name,
                                                                         snapshot_options options = {});

/// What a sandbox that is restored may have. Everything else, mounts, limits, environment, is the snapshot's; a `network_path` is
/// required where the saved one had a network namespace of the caller's, and only there.
struct restore_options : sandbox_own {
  restore_options() = default;
  explicit restore_options(sandbox_own own) : sandbox_own(std::move(own)) {}
  sandbox_purpose purpose;  ///< written down with it; whether it has Docker the snapshot says
};

/// A sandbox that goes on where the saved one was, under its own id, host name and address. Clocks show the time; random numbers
/// of the kernel's differ from those of other copies, what a program has computed ahead does not. Docker is ready at once.
/// Errors: not_found, record_damaged; unsupported (another runsc, CPU, or a root file system that was changed; each in words);
/// as sandbox::create.
BERTH_DECL boost::asio::awaitable<result<std::shared_ptr<sandbox>>> restore_snapshot(environment where,
                                                                                     std::string name,
                                                                                     restore_options options);
/// The same with the defaults: no default argument, since g++ 12 destroys an aggregate that is a temporary of a co_await
/// expression twice.
inline boost::asio::awaitable<result<std::shared_ptr<sandbox>>> restore_snapshot(environment where, std::string name) {
  return restore_snapshot(std::move(where), std::move(name), restore_options());
}

inline constexpr int most_clones = 1024, clones_at_once = 2;

/// `copies` of a sandbox that runs, each as restore_snapshot makes it: saved once, without a name, and removed from the disk again.
/// The sandbox goes on. All or none: cancelled or failed, what was made is removed. Errors: as take_snapshot and restore_snapshot;
/// invalid (no such number, or an id or a network namespace for several).
BERTH_DECL boost::asio::awaitable<result<std::vector<std::shared_ptr<sandbox>>>> clone_sandbox(
    environment where, std::shared_ptr<sandbox> box, int copies, restore_options options);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/snapshot/snapshot.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
// Copies of a snapshot that run and wait, to be had in the time of a message.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/sandbox/sandbox.hpp>
#include <berth/snapshot/pool_store.hpp>
#include <berth/snapshot/snapshot.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace berth {

/// What a sandbox from a pool may have of its own: of restore_options, what can be changed in one that runs.
struct take_options : pool_claim {
  std::optional<egress_policy> egress;  ///< none: the snapshot's
  /// All of it, for one that is made.
  BERTH_DECL restore_options to_restore() const;
};

struct taken_sandbox {
  std::shared_ptr<sandbox> box;
  bool was_ready = false;  ///< else none was, and it was made for this call
  bool docker = false;     ///< with a dockerd that is ready
};

/// A pool keeps copies of a snapshot ready, running. All of it is on disk: any process may take from a pool, several at once, and
/// each sandbox goes to one of them. No process belongs to a pool: it is filled by whoever calls refill(), which takes turns with
/// others that do. Its sandboxes have no owner while they wait; a pool whose settings name an owner is garbage with that.
/// Used from one loop's thread. Destroying it ends nothing.
class sandbox_pool {
 public:
  /// Makes the pool, or takes up the one of this name: its size and rate are these from now on, its sandboxes stay where they are
  /// copies of the same snapshot. Nothing is made yet. Errors: invalid; exists (one of another snapshot, whose owner lives or that has
  /// none); those of find_snapshot; permission, io.
  BERTH_DECL static boost::asio::awaitable<result<sandbox_pool>> start(environment where, pool_settings settings);
  /// One whose settings cannot be read is found, and can be stopped only. Errors: not_found, invalid, permission, io.
  BERTH_DECL static result<sandbox_pool> find(environment where, std::string name);
  /// As find; also one whose end was broken off, of which nothing is left but sandboxes that nobody takes.
  BERTH_DECL static result<sandbox_pool> find_to_stop(environment where, std::string name);

  /// Takes one that is ready, or makes one where none is. It ends with this process until sandbox::hand_over, as one that
  /// restore_snapshot made with ends_with_creator. Cancelled or failed, it leaves none taken. A refill() is due afterwards.
  /// Errors: as restore_snapshot; not_found (the pool was stopped).
  BERTH_DECL boost::asio::awaitable<result<taken_sandbox>> take(take_options what);

  /// Makes what is missing, and removes what has ended; returns when the pool is full, when another process fills it, or with what
  /// goes wrong: after five failures one after the other, the last. One that fails once is tried again after a while. Cancelled,
  /// what is half-made goes. Errors: those of restore_snapshot; unsupported (the snapshot is another one by now); cancelled.
  BERTH_DECL boost::asio::awaitable<result<void>> refill();

  /// Has the berth command do that in a process of its own, which goes on when this one ends. Errors: not_found (no such pool, or the
  /// command is not installed); as spawning.
  BERTH_DECL boost::asio::awaitable<result<void>> begin_refill();

  /// How it is now. Reads small files. Errors: not_found once it was stopped.
  BERTH_DECL result<pool_status> status() const;

  /// Ends the pool: nobody takes from it any more, those that wait in it go, those that were handed out stay. Waits for who is
  /// filling it. Idempotent. Errors: timeout; those of sandbox::terminate.
  BERTH_DECL boost::asio::awaitable<result<void>> stop(duration patience = seconds(120));

  const std::string& name() const noexcept { return name_; }

 private:
  sandbox_pool(environment where, std::string name) : where_(std::move(where)), name_(std::move(name)) {}
  environment where_;
  std::string name_;
};

/// Stops the pools whose owner is gone, and removes what killed processes left of others. Gives the ids of the sandboxes and the
/// names of the pools that went. Errors: those of stop.
struct collected_pools {
  std::vector<std::string> pools;
  std::vector<std::string> sandboxes;
};
BERTH_DECL boost::asio::awaitable<result<collected_pools>> collect_pools(environment where);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/snapshot/pool.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
// A sandbox of berth's own on a loop: a place for commands, and the supervisor of its dockerd.
#pragma once

#include "daemon.hpp"

#include <berth/managed/docker_sandbox.hpp>
#include <berth/sandbox/image.hpp>
#include <berth/snapshot/pool.hpp>
#include <berth/snapshot/snapshot.hpp>

#include <functional>
#include <mutex>

namespace berth::capi {

/// What berth_sandbox_create's config says.
struct sandbox_request {
  environment where;
  sandbox_config config;
  bool docker = false;         ///< enabled
  bool start_docker = true;    ///< dockerd is started with the sandbox, in the background
  std::string docker_options;  ///< the "docker" object, read again once the sandbox's own plan is known
  docker_recipe recipe;
  std::string snapshot;  ///< restored from this, where it is not empty
};
result<environment> read_environment(std::string_view text);
result<sandbox_request> read_sandbox_request(std::string_view where, std::string_view config);
/// The "docker" object over `settings`. "data_root" and the like stand in `recipe`.
result<void> read_managed_docker(std::string_view text, docker_recipe& recipe, daemon_settings& settings, bool& enabled,
                                 bool& start);

class sandbox_core final : public executor_core {
 public:
  sandbox_core(std::shared_ptr<loop_core> l, environment where)
      : executor_core(std::move(l)), where_(std::move(where)) {}

  // Any thread.
  result<std::string> id() const;  ///< state before the sandbox is there
  result<std::string> docker_socket() const;
  /// Nobody has a handle any more: it goes as soon as there is no dockerd of it to supervise.
  void handle_freed() noexcept;

  // Loop thread.
  result<executor*> place() override;
  void close_on_loop() noexcept override;
  bool may_retire() const noexcept override { return !supervises_; }  // a start may have overtaken the handle's end

  // As operations.
  asio::awaitable<op_result> create(std::shared_ptr<sandbox_request> request, op_pointer op);
  asio::awaitable<op_result> attach(std::string id, op_pointer op);
  asio::awaitable<op_result> egress(std::optional<egress_policy> wanted);  ///< changed first where one is wanted
  asio::awaitable<op_result> state(op_pointer op);
  asio::awaitable<op_result> ports();
  asio::awaitable<op_result> container_stats();
  asio::awaitable<op_result> diagnose();
  /// What tells nothing but whether it was done.
  asio::awaitable<op_result> perform(std::function<asio::awaitable<result<void>>(sandbox&)> verb);
  asio::awaitable<op_result> snapshot(std::string name, snapshot_options options);
  asio::awaitable<op_result> take(std::string pool, take_options what, op_pointer op);
  asio::awaitable<op_result> clone(int copies, restore_options options);
  asio::awaitable<op_result> logs(sandbox_log which, std::size_t limit);
  asio::awaitable<op_result> commit(image_options options);
  asio::awaitable<op_result> start_detached(command what, std::string log);
  asio::awaitable<op_result> terminate(terminate_options how, op_pointer op);
  asio::awaitable<op_result> start_docker(std::string options, op_pointer op);
  asio::awaitable<op_result> wait_docker(op_pointer op);
  asio::awaitable<op_result> docker_status(op_pointer op);
  asio::awaitable<op_result> events(bool follow, op_pointer op);
  /// What `body` does with its files, which are there until that ends.
  asio::awaitable<op_result> with_files(std::function<asio::awaitable<op_result>(guest_files&)> body);

 private:
  std::shared_ptr<sandbox_core> self() { return std::static_pointer_cast<sandbox_core>(shared_from_this()); }
  void become(std::shared_ptr<sandbox> box);
  op_outcome present(std::shared_ptr<sandbox> made);  ///< becomes it, and tells what it is
  void supervise(std::shared_ptr<daemon_core> docker);
  void supervises_no_more() noexcept;
  result<std::shared_ptr<sandbox>> box() const;
  result<std::shared_ptr<daemon_core>> make_daemon(std::string_view options, docker_recipe recipe,
                                                   std::uint64_t user_data);

  environment where_;
  std::shared_ptr<sandbox> box_;         // loop thread only
  std::shared_ptr<daemon_core> docker_;  // loop thread only
  std::atomic<bool> supervises_{false};  // a dockerd that is up or may come up again
  std::atomic<bool> handle_freed_{false};

  mutable std::mutex mutex_;
  std::string id_;
  std::string socket_;
};

/// The records below where.root as a JSON array; and what collect_garbage removed.
asio::awaitable<op_result> list_all(environment where);
asio::awaitable<op_result> collect_all(environment where);

struct sandbox_object final : handle_object {
  static constexpr handle_kind kind = handle_kind::sandbox;
  static constexpr handle_use use = handle_use::shared;
  explicit sandbox_object(std::shared_ptr<sandbox_core> c) : core(std::move(c)) {}
  ~sandbox_object() override {
    // Freeing a handle does nothing to the sandbox: a dockerd that this loop supervises goes on to be supervised.
    core->handle_freed();
  }
  std::shared_ptr<sandbox_core> core;
};

}  // namespace berth::capi

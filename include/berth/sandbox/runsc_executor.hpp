// SPDX-License-Identifier: Apache-2.0
// Commands in a container that the caller made with runsc itself: `runsc exec` as an executor.
#pragma once

#include <berth/process/executor.hpp>
#include <berth/runsc/runsc.hpp>
#include <berth/sandbox/detail/exec_process.hpp>
#include <berth/sandbox/process_identity.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>

namespace berth {

/// An executor for a sandbox that berth does not own, known by runsc's --root and the container's id. As
/// sandbox::start: a command leads a process group of its own inside, signals reach it there, SIGKILL its whole group,
/// and destroying one that still runs ends it by a coroutine on the loop. `command::user` is "uid[:gid]", numbers only.
/// What a command adds to is the process of the container's spec, which is read from the bundle that runsc names: leave its
/// config.json there. Arguments and environment are handed to runsc in memory, where no other user of the host sees them.
/// Used from the loop's thread only.
class runsc_executor final : public executor, public std::enable_shared_from_this<runsc_executor> {
 public:
  /// `globals` are those that the container was started with, --root above all. Makes a private directory for the pid
  /// and log files of commands (mkdtemp below /run, or /tmp where that is not writable), removed with the executor and
  /// the last of its commands. Nothing is run yet. Errors: invalid, spec_id, and of mkdtemp.
  BERTH_DECL static result<std::shared_ptr<runsc_executor>> create(runsc_binary binary, runsc_globals globals,
                                                                   std::string id);
  runsc_executor(const runsc_executor&) = delete;
  runsc_executor& operator=(const runsc_executor&) = delete;
  BERTH_DECL ~runsc_executor() override;

  /// Errors: sandbox_not_running when runsc says that the container does not run, else as `runsc exec`.
  BERTH_DECL boost::asio::awaitable<result<std::unique_ptr<running_command>>> start(command what,
                                                                                    stdio_options io) override;

 private:
  runsc_executor(runsc_binary binary, runsc_globals globals, std::string id, std::string directory)
      : binary_(std::move(binary)),
        globals_(std::move(globals)),
        id_(std::move(id)),
        directory_(std::move(directory)) {}
  boost::asio::awaitable<result<void>> find_sandbox();

  runsc_binary binary_;
  runsc_globals globals_;
  std::string id_;
  std::string directory_;
  process_identity sandbox_process_;  // of the host, once it was asked for
  std::optional<detail::container_process> process_;
  unsigned counter_ = 0;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/runsc_executor.ipp>
#endif

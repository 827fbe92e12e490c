// SPDX-License-Identifier: Apache-2.0
// A sandbox of berth's own with Docker in it, from its creation to its end: the one object under the command, the C ABI and C++
// programs. It keeps itself; this is a handle, and any process may have one.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/docker/guest_daemon.hpp>
#include <berth/managed/add_docker.hpp>
#include <berth/managed/container_stats.hpp>
#include <berth/managed/ports.hpp>
#include <berth/managed/purpose.hpp>
#include <berth/managed/status.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace berth {

/// Images in the sandbox's memory, on a tmpfs. Without a data root of its own Docker falls back to vfs, which takes far more.
BERTH_DECL docker_recipe docker_in_memory();

/// What is wanted of Docker in a sandbox.
struct docker_settings {
  docker_recipe recipe = docker_in_memory();
  std::vector<std::string> dockerd_args;  ///< after berth's own and those of recipe.registries
  std::vector<std::string> env;           ///< "K=V", for dockerd
  restart_policy restart{.what = restart_policy::kind::on_failure};
  duration ready_timeout = seconds(30);
};

/// Makes and starts a sandbox, with what Docker needs where `docker` is given, and writes down what it is for. dockerd is not
/// started yet; what its recipe says of registries is in the sandbox. On failure or cancellation nothing is left. Errors: those of
/// read_registry_files, add_docker, sandbox::create and guest_files; io.
BERTH_DECL boost::asio::awaitable<result<std::shared_ptr<sandbox>>> make_sandbox(environment where,
                                                                                 sandbox_config config,
                                                                                 std::optional<docker_recipe> docker,
                                                                                 sandbox_purpose purpose);

/// How a sandbox ends.
struct terminate_options {
  bool force = false;  ///< at once: nothing inside is stopped first
  /// How long what runs inside may take to stop until it is killed. Containers, TERM and KILL of dockerd have 25 s, runsc the rest.
  duration timeout = seconds(45);
};

/// Used from one loop's thread. Destroying it ends nothing.
class docker_sandbox {
 public:
  /// Of one that is there. What its guest logs during a call goes to where.log.
  BERTH_DECL docker_sandbox(environment where, std::shared_ptr<sandbox> box);

  /// Makes a sandbox whose Docker is ready. On failure or cancellation nothing is left, and the error is that of dockerd's
  /// start where that is what failed. Errors: those of make_sandbox and start.
  BERTH_DECL static boost::asio::awaitable<result<docker_sandbox>> create(environment where, sandbox_config config,
                                                                          docker_settings docker);
  /// The same with the defaults. (No default argument: g++ 12 destroys an aggregate that is a temporary of a co_await
  /// expression twice. For the same reason name settings before a co_await.)
  static boost::asio::awaitable<result<docker_sandbox>> create(environment where, sandbox_config config) {
    return create(std::move(where), std::move(config), docker_settings());
  }
  /// Errors: those of sandbox::attach.
  BERTH_DECL static result<docker_sandbox> attach(environment where, std::string id);

  /// All there are, as list_sandboxes.
  static result<std::vector<sandbox_record>> list(const environment& where) { return list_sandboxes(where); }

  /// For pausing, egress, its record.
  sandbox& box() const noexcept { return *box_; }
  const std::shared_ptr<sandbox>& shared_box() const noexcept { return box_; }

  /// Has the guest start dockerd where it is not up, and returns once it is ready or has failed; then `run` begins, as in begin.
  /// Errors: those of docker_supervisor_options and guest_daemon::start.
  BERTH_DECL boost::asio::awaitable<result<void>> start(docker_settings docker, std::optional<command> run = {});
  /// Has the guest start dockerd, where `docker` is given, and then `run`, with which the sandbox ends. Returns as soon as the
  /// guest has taken it up. Errors: as start; those of guest_daemon::begin.
  BERTH_DECL boost::asio::awaitable<result<void>> begin(std::optional<docker_settings> docker,
                                                        std::optional<command> run = {});

  /// Waits until Docker is ready, or cannot come up any more, whoever started it; of a sandbox whose Docker a program on the
  /// host supervises, the socket is asked. `last`: how dockerd is at the end, as far as it is known.
  /// Errors: daemon_not_ready (the deadline); daemon_failed and the like, with what the guest reported; state (it was made
  /// without Docker); sandbox_not_running.
  BERTH_DECL boost::asio::awaitable<result<void>> wait_ready(time_point deadline, daemon_status* last = nullptr);

  /// How Docker is now. One that is said to be ready was asked; the same for one that a program on the host supervises.
  BERTH_DECL boost::asio::awaitable<daemon_status> docker_status();

  /// `docker ARGS…` inside. Errors: those of run_docker.
  BERTH_DECL boost::asio::awaitable<result<command_result>> docker(std::vector<std::string> args,
                                                                   time_point deadline = time_point::max());

  /// The ports that it is reached by: those of the host's that were published, and those of its own that its containers
  /// publish, which Docker is asked where it is ready. Errors: those of run_docker.
  BERTH_DECL boost::asio::awaitable<result<sandbox_ports>> ports(time_point deadline = time_point::max());

  /// What each of its containers that run takes, by its cgroups: `docker stats` has zeros in a sandbox. Errors: those of run_docker
  /// and of guest_files, but for a number that is not there.
  BERTH_DECL boost::asio::awaitable<result<std::vector<berth::container_stats>>> container_stats(
      time_point deadline = time_point::max());

  /// All that is known of it. Errors: not_found.
  BERTH_DECL boost::asio::awaitable<result<sandbox_status>> status(status_options options = {});

  /// A command inside, to its end. Errors: as run_command.
  boost::asio::awaitable<result<command_result>> exec(command what) { return run_command(*box_, std::move(what)); }
  boost::asio::awaitable<result<command_result>> exec(command what, stdio_options io,
                                                      time_point deadline = time_point::max()) {
    return run_command(*box_, std::move(what), std::move(io), deadline);
  }
  /// A command on a terminal of its own inside, as sandbox::start_terminal.
  boost::asio::awaitable<result<std::unique_ptr<guest_command>>> shell(command what, stdio_options io,
                                                                       guest_terminal_size size) {
    return box_->start_terminal(std::move(what), std::move(io), size);
  }
  /// As sandbox::files.
  guest_files& files() { return box_->files(); }
  /// As sandbox::logs, export_changes and annotate.
  result<std::string> logs(sandbox_log which, std::size_t limit = 64 * 1024) const { return box_->logs(which, limit); }
  boost::asio::awaitable<result<void>> export_rootfs(std::string file) { return box_->export_changes(std::move(file)); }
  boost::asio::awaitable<result<void>> annotate(std::string key, std::string value) {
    return box_->annotate(std::move(key), std::move(value));
  }

  /// What happened so far (the last 64 events, in order), and where `follow` is true each that comes, until `deadline` or the end
  /// of the sandbox. Nothing is heard of a sandbox without Docker. Errors: those of guest_daemon::watch.
  BERTH_DECL boost::asio::awaitable<result<void>> events(std::function<void(const sandbox_event&)> tell, bool follow,
                                                         time_point deadline = time_point::max());

  /// Stops the command, the containers and dockerd, in order. Errors: those of guest_daemon::stop.
  BERTH_DECL boost::asio::awaitable<result<void>> stop_docker(time_point deadline);
  /// Stops them, unless they are to end by force, then removes the sandbox; one that is paused goes on for it. A `berth run` in
  /// the foreground that the sandbox is of is told first, and ends it by itself. Cancelled before the removal has begun, the
  /// sandbox stays, with what had not stopped. Errors: cancelled; those of sandbox::terminate.
  BERTH_DECL boost::asio::awaitable<result<void>> terminate(terminate_options how = {});

 private:
  result<supervisor_options> options_for(docker_settings docker) const;

  environment where_;
  std::shared_ptr<sandbox> box_;
  guest_daemon guest_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/managed/docker_sandbox.ipp>
#include <berth/impl/managed/terminate.ipp>
#endif

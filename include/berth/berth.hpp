// SPDX-License-Identifier: Apache-2.0
// The whole library: every public header, layer by layer.
#pragma once

#include <berth/config.hpp>

#include <berth/base/clock.hpp>
#include <berth/base/error.hpp>
#include <berth/base/file.hpp>
#include <berth/base/first_failure.hpp>
#include <berth/base/hash.hpp>
#include <berth/base/hints.hpp>
#include <berth/base/json_string.hpp>
#include <berth/base/json_writer.hpp>
#include <berth/base/log.hpp>
#include <berth/base/log_file.hpp>
#include <berth/base/rate_limit.hpp>
#include <berth/base/result.hpp>
#include <berth/base/rooted.hpp>
#include <berth/base/tar.hpp>
#include <berth/base/tar_tree.hpp>
#include <berth/base/text.hpp>
#include <berth/base/token.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/base/users.hpp>
#include <berth/base/utf8.hpp>
#include <berth/base/visible_text.hpp>

#include <berth/spec/annotations.hpp>
#include <berth/spec/byte_size.hpp>
#include <berth/spec/capabilities.hpp>
#include <berth/spec/diff.hpp>
#include <berth/spec/env.hpp>
#include <berth/spec/hostname.hpp>
#include <berth/spec/id.hpp>
#include <berth/spec/json.hpp>
#include <berth/spec/masked_paths.hpp>
#include <berth/spec/merge.hpp>
#include <berth/spec/minimal_spec.hpp>
#include <berth/spec/mounts.hpp>
#include <berth/spec/namespaces.hpp>
#include <berth/spec/process.hpp>
#include <berth/spec/resources.hpp>
#include <berth/spec/rlimits.hpp>
#include <berth/spec/root.hpp>
#include <berth/spec/seccomp.hpp>
#include <berth/spec/spec.hpp>
#include <berth/spec/spec_builder.hpp>
#include <berth/spec/sysctl.hpp>

#include <berth/runsc/args.hpp>
#include <berth/runsc/binary.hpp>
#include <berth/runsc/diagnose.hpp>
#include <berth/runsc/flags.hpp>
#include <berth/runsc/globals.hpp>
#include <berth/runsc/probe.hpp>
#include <berth/runsc/runsc.hpp>
#include <berth/runsc/state.hpp>
#include <berth/runsc/version.hpp>

#include <berth/process/boost_handle.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/process/child.hpp>
#include <berth/process/executor.hpp>
#include <berth/process/exit_status.hpp>
#include <berth/process/fd_copy.hpp>
#include <berth/process/initializers.hpp>
#include <berth/process/launcher.hpp>
#include <berth/process/output_buffer.hpp>
#include <berth/process/pidfd.hpp>
#include <berth/process/process.hpp>
#include <berth/process/run_blocking.hpp>
#include <berth/process/spawn.hpp>
#include <berth/process/tree.hpp>
#include <berth/process/write_no_sigpipe.hpp>

#include <berth/readiness/guarded_socket.hpp>
#include <berth/readiness/http_response.hpp>
#include <berth/readiness/notify.hpp>
#include <berth/readiness/poll.hpp>
#include <berth/readiness/poll_fsm.hpp>
#include <berth/readiness/poll_result.hpp>
#include <berth/readiness/probe.hpp>
#include <berth/readiness/probe_outcome.hpp>
#include <berth/readiness/schedule.hpp>

#include <berth/network/address.hpp>
#include <berth/network/egress.hpp>
#include <berth/network/egress_name.hpp>
#include <berth/network/host.hpp>
#include <berth/network/network.hpp>
#include <berth/network/plan.hpp>
#include <berth/network/published.hpp>

#include <berth/guest/channel.hpp>
#include <berth/guest/conversation.hpp>
#include <berth/guest/executor.hpp>
#include <berth/guest/file_messages.hpp>
#include <berth/guest/files.hpp>
#include <berth/guest/protocol.hpp>

#include <berth/sandbox/config.hpp>
#include <berth/sandbox/directory_lock.hpp>
#include <berth/sandbox/exit_reason.hpp>
#include <berth/sandbox/find_runsc.hpp>
#include <berth/sandbox/garbage.hpp>
#include <berth/sandbox/image.hpp>
#include <berth/sandbox/image_layer.hpp>
#include <berth/sandbox/paused_marker.hpp>
#include <berth/sandbox/name_service.hpp>
#include <berth/sandbox/process_identity.hpp>
#include <berth/sandbox/reach.hpp>
#include <berth/sandbox/record.hpp>
#include <berth/sandbox/root_directory.hpp>
#include <berth/sandbox/root_watch.hpp>
#include <berth/sandbox/runsc_executor.hpp>
#include <berth/sandbox/sandbox.hpp>
#include <berth/sandbox/sandbox_sockets.hpp>

#include <berth/docker/client.hpp>
#include <berth/docker/daemon_fsm.hpp>
#include <berth/docker/daemon_messages.hpp>
#include <berth/docker/daemon_probe.hpp>
#include <berth/docker/data_root.hpp>
#include <berth/docker/diagnose.hpp>
#include <berth/docker/guest_daemon.hpp>
#include <berth/docker/plan.hpp>
#include <berth/docker/recipe.hpp>
#include <berth/docker/start_arguments.hpp>
#include <berth/docker/supervisor.hpp>
#include <berth/docker/versions.hpp>

#include <berth/managed/add_docker.hpp>
#include <berth/managed/diagnose.hpp>
#include <berth/managed/docker_sandbox.hpp>
#include <berth/managed/machine_check.hpp>
#include <berth/managed/machine_checks.hpp>
#include <berth/managed/ports.hpp>
#include <berth/managed/purpose.hpp>
#include <berth/managed/sandbox_rules.hpp>
#include <berth/managed/status.hpp>

#include <berth/snapshot/manifest.hpp>
#include <berth/snapshot/pool.hpp>
#include <berth/snapshot/pool_plan.hpp>
#include <berth/snapshot/pool_store.hpp>
#include <berth/snapshot/snapshot.hpp>
#include <berth/snapshot/store.hpp>

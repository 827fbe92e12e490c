// SPDX-License-Identifier: Apache-2.0
// runsc's command lines as pure values, one function a verb.
#pragma once

#include <berth/base/result.hpp>
#include <berth/runsc/binary.hpp>
#include <berth/runsc/globals.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth {

/// Everything here: pure, thread-safe, options in one fixed order as `--name=value`, `extra_args` after the typed
/// options of the verb and before the id. Errors: invalid (id, relative path, NUL, missing field, an extra argument
/// that is no option or repeats a typed one), spec_id, runsc_flag_unsupported (the binary lacks the verb or the
/// option).

/// A descriptor of runsc's process and the number that the container sees it under (--pass-fd=host:guest).
struct runsc_pass_fd {
  int host = -1;
  int guest = -1;
};

/// create, run and restore share these.
struct runsc_create_options {
  std::string bundle;                 ///< --bundle: required, absolute
  std::string console_socket;         ///< --console-socket
  std::string pid_file;               ///< --pid-file: gets the host pid of the sandbox process
  std::string user_log;               ///< --user-log
  std::string fs_restore_image_path;  ///< --fs-restore-image-path: file systems only
  bool fs_restore_direct = false;     ///< --fs-restore-direct
  std::vector<std::string> extra_args;
};

struct runsc_run_options : runsc_create_options {
  bool detach = false;                  ///< --detach; the sandbox keeps runsc's stdout and stderr as its own
  std::vector<runsc_pass_fd> pass_fds;  ///< --pass-fd
  std::optional<int> exec_fd;           ///< --exec-fd
};

struct runsc_restore_options : runsc_create_options {
  std::string image_path;  ///< --image-path: required, absolute
  bool detach = false;
  bool background = false;  ///< --background: pages go on loading; needs an uncompressed image
  bool direct = false;      ///< --direct
};

/// exec. runsc reads `process` (a file of OCI process JSON) instead of all the other fields but the descriptors.
struct runsc_exec_options {
  std::vector<std::string> command;  ///< argv inside; required unless `process` is given
  std::string process;               ///< --process
  std::string cwd;                   ///< --cwd
  std::vector<std::string> env;      ///< --env, "K=V", once each
  std::string user;                  ///< --user: "uid[:gid]", numbers only (see docs/reference/runsc.md)
  std::vector<std::uint32_t> additional_gids;
  std::vector<std::string> caps;  ///< --cap: "CAP_NET_RAW"
  std::string console_socket;
  std::string pid_file;           ///< --pid-file: host pid of the `runsc exec` that stays behind
  std::string internal_pid_file;  ///< --internal-pid-file: pid inside the sandbox, for runsc_kill_options::pid
  bool detach = false;            ///< --detach
  std::vector<runsc_pass_fd> pass_fds;
  std::optional<int> exec_fd;
  std::vector<std::string> extra_args;
};

struct runsc_kill_options {
  int signal = 15;          ///< sent by number
  bool all = false;         ///< --all: every process of the container
  std::optional<int> pid;   ///< --pid: one process, by its pid in the sandbox's root pid namespace
  std::optional<int> pgid;  ///< --pgid: one process group
  std::vector<std::string> extra_args;
};

struct runsc_delete_options {
  bool force = false;  ///< --force: kill first
  std::vector<std::string> extra_args;
};

struct runsc_list_options {
  bool json = true;             ///< --format=json
  bool quiet = false;           ///< --quiet: ids only
  bool sandboxes_only = false;  ///< --sandbox
  std::vector<std::string> extra_args;
};

struct runsc_wait_options {
  std::optional<int> pid;       ///< --pid: in the container's pid namespace
  std::optional<int> root_pid;  ///< --rootpid: in the sandbox's root pid namespace
  bool checkpoint = false;      ///< --checkpoint: for the next checkpoint to complete
  bool restore = false;         ///< --restore
  std::vector<std::string> extra_args;
};

enum class runsc_compression { none, flate_best_speed };

struct runsc_checkpoint_options {
  std::string image_path;      ///< --image-path: required, absolute
  bool leave_running = false;  ///< --leave-running
  std::optional<runsc_compression> compression;
  bool direct = false;  ///< --direct
  bool exclude_committed_zero_pages = false;
  std::vector<std::string> extra_args;
};

struct runsc_events_options {
  bool stats = false;  ///< --stats: once, then exit
  std::optional<std::uint32_t> interval_seconds;
  std::vector<std::string> extra_args;
};

struct runsc_fscheckpoint_options {
  std::string image_path;  ///< --image-path: required, absolute
  std::string path;        ///< --path: inside the container, or "all-tmpfs"
  bool leave_running = false;
  bool direct = false;
  std::vector<std::string> extra_args;
};

struct runsc_tar_options {
  std::string file;  ///< --file: required, absolute; overwritten
};

/// start, state, pause, resume: nothing but the id.
struct runsc_plain_options {
  std::vector<std::string> extra_args;
};

BERTH_DECL result<runsc_argv> runsc_create_argv(const runsc_binary& binary, const runsc_globals& globals,
                                                std::string_view id, const runsc_create_options& options);
BERTH_DECL result<runsc_argv> runsc_run_argv(const runsc_binary& binary, const runsc_globals& globals,
                                             std::string_view id, const runsc_run_options& options);
BERTH_DECL result<runsc_argv> runsc_restore_argv(const runsc_binary& binary, const runsc_globals& globals,
                                                 std::string_view id, const runsc_restore_options& options);
BERTH_DECL result<runsc_argv> runsc_start_argv(const runsc_binary& binary, const runsc_globals& globals,
                                               std::string_view id, const runsc_plain_options& options = {});
BERTH_DECL result<runsc_argv> runsc_exec_argv(const runsc_binary& binary, const runsc_globals& globals,
                                              std::string_view id, const runsc_exec_options& options);
BERTH_DECL result<runsc_argv> runsc_kill_argv(const runsc_binary& binary, const runsc_globals& globals,
                                              std::string_view id, const runsc_kill_options& options = {});
BERTH_DECL result<runsc_argv> runsc_delete_argv(const runsc_binary& binary, const runsc_globals& globals,
                                                std::string_view id, const runsc_delete_options& options = {});
BERTH_DECL result<runsc_argv> runsc_state_argv(const runsc_binary& binary, const runsc_globals& globals,
                                               std::string_view id, const runsc_plain_options& options = {});
BERTH_DECL result<runsc_argv> runsc_list_argv(const runsc_binary& binary, const runsc_globals& globals,
                                              const runsc_list_options& options = {});
BERTH_DECL result<runsc_argv> runsc_wait_argv(const runsc_binary& binary, const runsc_globals& globals,
                                              std::string_view id, const runsc_wait_options& options = {});
BERTH_DECL result<runsc_argv> runsc_pause_argv(const runsc_binary& binary, const runsc_globals& globals,
                                               std::string_view id, const runsc_plain_options& options = {});
BERTH_DECL result<runsc_argv> runsc_resume_argv(const runsc_binary& binary, const runsc_globals& globals,
                                                std::string_view id, const runsc_plain_options& options = {});
BERTH_DECL result<runsc_argv> runsc_checkpoint_argv(const runsc_binary& binary, const runsc_globals& globals,
                                                    std::string_view id, const runsc_checkpoint_options& options);
BERTH_DECL result<runsc_argv> runsc_events_argv(const runsc_binary& binary, const runsc_globals& globals,
                                                std::string_view id, const runsc_events_options& options = {});
/// `ps --format=json`.
BERTH_DECL result<runsc_argv> runsc_ps_argv(const runsc_binary& binary, const runsc_globals& globals,
                                            std::string_view id, const runsc_plain_options& options = {});
BERTH_DECL result<runsc_argv> runsc_fscheckpoint_argv(const runsc_binary& binary, const runsc_globals& globals,
                                                      std::string_view id, const runsc_fscheckpoint_options& options);
/// `tar rootfs-upper`: what the container changed in its root file system, as a tar in overlayfs's own terms.
BERTH_DECL result<runsc_argv> runsc_tar_rootfs_upper_argv(const runsc_binary& binary, const runsc_globals& globals,
                                                          std::string_view id, const runsc_tar_options& options);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/runsc/args.ipp>
#endif

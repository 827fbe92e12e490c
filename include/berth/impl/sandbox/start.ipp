// SPDX-License-Identifier: Apache-2.0
// Starting runsc for a sandbox whose bundle and network are there: from nothing, or from what was saved.
#pragma once

#include <berth/base/file.hpp>
#include <berth/guest/protocol.hpp>
#include <berth/process/process.hpp>
#include <berth/runsc/diagnose.hpp>
#include <berth/runsc/runsc.hpp>
#include <berth/sandbox/detail/obstacle.hpp>
#include <berth/sandbox/record.hpp>

#include <boost/asio/awaitable.hpp>

#include <fcntl.h>

#include <optional>
#include <string>
#include <utility>

namespace berth::detail {

inline runsc_globals creation_globals(const sandbox_record& record) {
  runsc_globals globals;
  globals.root = record.runsc_root();
  globals.debug_log = record.runsc_logs() + "/";
  globals.network = record.network == network_mode::none ? runsc_network::none : runsc_network::sandbox;
  globals.net_raw = record.net_raw;
  globals.packet_socket_write = record.packet_socket_write;
  if (record.shared_directory) globals.host_uds = runsc_host_uds::create;
  // Not `self`: that puts the file with the sandbox's writes into the root file system, which is not ours to write to.
  globals.overlay2 = "root:dir=" + record.overlay();
  // Without limits the host's cgroups are left alone, which also works where they cannot be written (containers).
  if (!record.has_limits()) globals.ignore_cgroups = true;
  globals.extra_args = record.runsc_args;
  return globals;
}

/// The failure of a start, whose directory goes away with it: it names nothing in there, and brings along what was said.
inline error start_failure(const sandbox_record& record, std::string what, const std::optional<exit_status>& ended) {
  const auto printed = read_file_end(record.init_log(), 1u << 20, "sandbox");
  error e = runsc_failure(what, record.runsc_logs(), printed ? std::string_view(*printed) : std::string_view());
  e.path = record.runsc;
  if (e.message == what && ended) {
    e.message += ended->signal != 0 ? ": runsc was killed by signal " + std::to_string(ended->signal)
                                    : ": runsc ended with " + ended->to_string();
    if (e.detail.empty()) e.message += " and said nothing";
  }
  if (std::string obstacle = find_obstacle(record.directory.substr(0, record.directory.rfind('/'))); !obstacle.empty())
    e.hint = std::move(obstacle);
  if (e.hint.empty() && ended && ended->signal != 0)
    e.hint = "see that `" + record.runsc + " --version` works, and the kernel's log (dmesg)";
  return e;
}

/// Of a start, or of a restore from the image in the directory `image`.
inline result<runsc_argv> start_argv(const sandbox_record& record, const std::optional<std::string>& image,
                                     const runsc_binary& binary, const std::string& pid_file) {
  const auto fill = [&](auto& options) {
    options.bundle = record.bundle();
    options.detach = true;
    options.pid_file = pid_file;
  };
  const runsc_globals globals = creation_globals(record);
  if (!image) {
    runsc_run_options run;
    fill(run);
    return runsc_run_argv(binary, globals, record.container_id(), run);
  }
  runsc_restore_options restore;
  fill(restore);
  restore.image_path = *image;
  return runsc_restore_argv(binary, globals, record.container_id(), restore);
}

/// What the guest of a restored sandbox finds when it looks around: it is another one now, or the same (`same`).
inline result<void> write_restored_wake(const sandbox_record& record, bool same) {
  guest_wake wake;
  wake.restored = true;
  wake.same = same;
  if (record.net) wake.address = record.net->address();
  wake.hostname = record.hostname;
  return replace_file(record.shared() + "/" + std::string(guest_wake_name), encode(wake), 0600, "sandbox");
}

inline boost::asio::awaitable<result<void>> start_runsc(sandbox_record& record, std::optional<std::string> image,
                                                        const runsc_binary& binary, time_point deadline) {
  const std::string pid_file = record.directory + "/sandbox.pid";
  auto argv = start_argv(record, image, binary, pid_file);
  if (!argv) co_return std::move(argv).error();

  // A file and no pipe: the sandbox keeps it. Appending, since gVisor writes at an offset of its own.
  const unique_fd printed(
      ::open(record.init_log().c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!printed) co_return errno_error(errno, "sandbox", "cannot make the log", record.init_log());
  spawn_options options;
  options.argv = std::move(*argv);
  options.env = minimal_environment();
  stdio_options io;
  io.out = stdio_options::output::fd;
  io.err = stdio_options::output::fd;
  io.out_fd = printed.get();
  io.err_fd = printed.get();
  auto done = co_await run_process(std::move(options), std::move(io), deadline);
  if (!done && done.error().code != errc::timeout) co_return std::move(done).error();
  if (!done || !done->status.success()) {
    error e = start_failure(record, (image ? "cannot restore the sandbox " : "cannot start the sandbox ") + record.id,
                            done ? std::optional(done->status) : std::nullopt);
    if (!done) e.code = errc::timeout;
    // The guest refuses where it sees both; a connection's minute of TIME_WAIT it does not see (20260905.0).
    if (!done && image && e.hint.empty())
      e.hint =
          "a program that listened in the sandbox itself, beside a container's connection that was just over when it was saved, "
          "keeps runsc waiting: save it a minute after the last one, or run the program in a container";
    co_return e;
  }
  record.sandbox_process = process_identity::of(read_pid_file(pid_file));
  if (!record.sandbox_process.alive()) {
    co_return start_failure(record, "the sandbox " + record.id + " ended at once", std::nullopt);
  }
  co_return result<void>();
}

}  // namespace berth::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/sandbox/detail/runsc_client.hpp>
#include <berth/sandbox/runsc_executor.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <berth/impl/sandbox/exec.ipp>

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>

namespace berth {

BERTH_DECL result<std::shared_ptr<runsc_executor>> runsc_executor::create(runsc_binary binary, runsc_globals globals,
                                                                          std::string id) {
  // A command line that would not work is refused here and not at the first command.
  runsc_exec_options probe;
  probe.command = {"true"};
  auto argv = runsc_exec_argv(binary, globals, id, probe);
  if (!argv) return std::move(argv).error();
  std::string directory = "/run/berth-exec-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) {
    directory = "/tmp/berth-exec-XXXXXX";
    if (::mkdtemp(directory.data()) == nullptr) {
      return errno_error(errno, "sandbox", "cannot make a directory for the files of commands", "/tmp");
    }
  }
  return std::shared_ptr<runsc_executor>(
      new runsc_executor(std::move(binary), std::move(globals), std::move(id), std::move(directory)));
}

BERTH_DECL runsc_executor::~runsc_executor() {
  // Commands remove their own files; what one that was just ended still has there goes with the directory.
  if (DIR* dir = ::opendir(directory_.c_str())) {
    while (const dirent* entry = ::readdir(dir)) {
      if (entry->d_name[0] != '.') ::unlinkat(::dirfd(dir), entry->d_name, 0);
    }
    ::closedir(dir);
  }
  ::rmdir(directory_.c_str());
}

BERTH_DECL boost::asio::awaitable<result<void>> runsc_executor::find_sandbox() {
  if (sandbox_process_ && sandbox_process_.alive()) co_return result<void>();
  auto argv = runsc_state_argv(binary_, globals_, id_);
  if (!argv) co_return std::move(argv).error();
  const time_point deadline = deadline_after(seconds(30));
  auto text = co_await detail::run_runsc(std::move(*argv), deadline);
  if (!text) co_return std::move(text).error();
  auto state = parse_runsc_state(*text);
  if (!state) co_return std::move(state).error();
  if (state->status != runsc_status::running || state->pid <= 0) {
    co_return make_error(errc::sandbox_not_running, "sandbox",
                         "the container does not run: runsc says " + state->status_text, id_);
  }
  if (!process_) {
    auto read = detail::container_process::read(state->bundle);
    if (!read) {
      error e = std::move(read).error();
      e.message = "cannot read what the container was started with: " + e.message;
      e.hint = "leave the bundle's config.json where runsc was told that it is";
      co_return e;
    }
    process_ = std::move(*read);
  }
  sandbox_process_ = process_identity::of(static_cast<pid_t>(state->pid));
  co_return result<void>();
}

BERTH_DECL boost::asio::awaitable<result<std::unique_ptr<running_command>>> runsc_executor::start(command what,
                                                                                                  stdio_options io) {
  const auto self = shared_from_this();
  auto looked = find_sandbox();
  auto found = co_await cancellation_as_error(std::move(looked));
  if (!found) co_return std::move(found).error();
  std::optional<detail::exec_user> user;
  if (!what.user.empty()) {
    auto numbers = detail::parse_exec_user(what.user);
    if (!numbers) co_return std::move(numbers).error();
    user = std::move(*numbers);
  }
  auto text = detail::exec_process_text(*process_, what, user, detail::is_on_terminal(io));
  if (!text) co_return std::move(text).error();
  auto file = memory_file("berth-exec", *text, "sandbox");
  if (!file) co_return std::move(file).error();
  const std::string stem = directory_ + "/" + std::to_string(++counter_);
  const detail::sandbox_command::files files{stem + ".pid", stem + ".log"};
  runsc_exec_options exec;
  exec.process = detail::process_file_path;
  exec.internal_pid_file = files.pid;
  runsc_globals globals = globals_;
  globals.log = files.log;
  globals.log_format = runsc_log_format::json;
  auto argv = runsc_exec_argv(binary_, globals, id_, exec);
  if (!argv) co_return std::move(argv).error();
  auto loop = co_await boost::asio::this_coro::executor;
  spawn_options options;
  options.argv = std::move(*argv);
  options.env = minimal_environment();
  options.fds.push_back({file->get(), detail::process_file_fd});
  auto client = process::start(loop, std::move(options), std::move(io));
  file->reset();
  if (!client) co_return std::move(client).error();
  auto running = std::make_unique<detail::sandbox_command>(
      std::move(*client), detail::runsc_client{binary_, globals_, id_}, sandbox_process_, files, self);
  running->set_executor(loop);
  std::unique_ptr<running_command> started = std::move(running);
  co_return started;
}

}  // namespace berth

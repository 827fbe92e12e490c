// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/process/pidfd.hpp>
#include <berth/process/process.hpp>
#include <berth/sandbox/detail/creator_watch.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace berth::detail {

// The descriptors of src/guest/watch.hpp.
inline constexpr int watch_creator_fd = 3;
inline constexpr int watch_pipe_fd = 4;
inline constexpr int watch_directory_fd = 5;
inline constexpr int watch_owner_fd = 6;

BERTH_DECL std::string find_command(const std::string& init) {
  const std::string beside = init.substr(0, init.rfind('/'));
  for (const std::string& place : {beside + "/berth", beside + "/../../bin/berth", std::string("/usr/local/bin/berth"),
                                   std::string("/usr/bin/berth")}) {
    if (::access(place.c_str(), X_OK) == 0) return place;
  }
  return {};
}

BERTH_DECL boost::asio::awaitable<result<creator_watch>> creator_watch::start(std::string init, sandbox_record record,
                                                                              std::shared_ptr<const unique_fd> owner,
                                                                              duration lifetime, time_point deadline) {
  auto self = open_pidfd(::getpid());
  if (!self) co_return std::move(self).error();
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    co_return errno_error(errno, "sandbox", "cannot make a pair of sockets");
  const unique_fd read_end(ends[0]);
  creator_watch watch;
  watch.pipe_.reset(ends[1]);
  const unique_fd directory(::open(record.directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!directory) co_return errno_error(errno, "sandbox", "cannot open the sandbox's directory", record.directory);
  spawn_options options;
  const auto length = std::chrono::duration_cast<milliseconds>(lifetime).count();
  options.argv = {init, "watch", record.token, find_command(init), std::to_string(length), owner ? "owner" : "-"};
  options.env = minimal_environment();
  options.fds = {
      {self->get(), watch_creator_fd}, {read_end.get(), watch_pipe_fd}, {directory.get(), watch_directory_fd}};
  if (owner) options.fds.push_back({owner->get(), watch_owner_fd});
  stdio_options io;
  io.out = stdio_options::output::null;  // nothing that the process which stays could hold open
  io.err = stdio_options::output::null;
  auto done = co_await run_process(std::move(options), std::move(io), deadline);
  if (!done) co_return std::move(done).error();
  if (!done->status.success()) {
    co_return make_error(errc::spawn_failed, "sandbox",
                         "the watch over the sandbox's creator did not start: " + done->status.to_string(), init,
                         "berth-init may be of another release than the library");
  }
  co_return watch;
}

BERTH_DECL void creator_watch::say(char what) {
  if (pipe_) (void)!::send(pipe_.get(), &what, 1, MSG_NOSIGNAL);  // where the watch is gone there is nobody to be told
}

}  // namespace berth::detail

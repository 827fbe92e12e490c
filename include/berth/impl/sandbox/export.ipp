#pragma once

#include <berth/base/unique_fd.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/sandbox/detail/runsc_client.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace berth {

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::write_changes(std::string file) {
  BERTH_CO_TRY(check_running());
  if (file.empty() || file.front() != '/') {
    co_return make_error(errc::invalid, "sandbox", "an absolute path is needed for the changes", file);
  }
  auto binary = runsc();
  if (!binary) co_return std::move(binary).error();
  auto argv = runsc_tar_rootfs_upper_argv(*binary, globals(), record_.container_id(), {file});
  if (!argv) co_return std::move(argv).error();
  // Made here, so that nobody else can read it and no link is followed; runsc truncates it.
  const unique_fd made(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!made) co_return errno_error(errno, "sandbox", "cannot make the file for the changes", file);
  auto done = co_await detail::run_runsc(std::move(*argv), time_point::max());
  if (!done) {
    ::unlink(file.c_str());
    co_return std::move(done).error();
  }
  co_return result<void>();
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::export_changes(std::string file) {
  auto self = shared_from_this();
  auto work = write_changes(std::move(file));
  auto done = co_await cancellation_as_error(std::move(work));
  co_return done;
}

}  // namespace berth

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/unique_fd.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/sandbox/detail/runsc_client.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace berth {

namespace detail {

/// A new file for somebody else's program to write to, by descriptor. Its directory is held open: what another user does
/// to the path meanwhile changes nothing.
class new_file {
 public:
  static result<new_file> make(const std::string& path) {
    new_file out;
    const std::size_t slash = path.rfind('/');
    out.name_ = path.substr(slash + 1);
    const std::string directory = slash == 0 ? "/" : path.substr(0, slash);
    out.directory_.reset(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!out.directory_) return errno_error(errno, "sandbox", "cannot open the directory for the changes", directory);
    // 0600: nobody else can read it.
    out.file_.reset(
        ::openat(out.directory_.get(), out.name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!out.file_) return errno_error(errno, "sandbox", "cannot make the file for the changes", path);
    return out;
  }

  int fd() const noexcept { return file_.get(); }

  /// Takes the name away, unless it is another file's by now.
  void remove() const noexcept {
    struct stat mine {};
    struct stat named {};
    if (::fstat(file_.get(), &mine) == 0 &&
        ::fstatat(directory_.get(), name_.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 && mine.st_ino == named.st_ino &&
        mine.st_dev == named.st_dev) {
      ::unlinkat(directory_.get(), name_.c_str(), 0);
    }
  }

 private:
  unique_fd directory_, file_;
  std::string name_;
};

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::write_changes(std::string file) {
  auto waking = be_awake();
  BERTH_CO_TRY(co_await std::move(waking));
  if (file.empty() || file.front() != '/' || file.back() == '/') {
    co_return make_error(errc::invalid, "sandbox", "the absolute path of a file is needed for the changes", file);
  }
  const time_point patience = deadline_after(seconds(30));
  auto binary = co_await runsc_by(patience);
  if (!binary) co_return std::move(binary).error();
  // runsc opens what it is told by name, with O_TRUNC: this name means the very file that was made.
  constexpr int inside = 3;
  auto argv = runsc_tar_rootfs_upper_argv(*binary, globals(), record_.container_id(), {"/proc/self/fd/3"});
  if (!argv) co_return std::move(argv).error();
  auto made = detail::new_file::make(file);
  if (!made) co_return std::move(made).error();
  std::vector<fd_mapping> fds = {{made->fd(), inside}};
  auto done = co_await detail::run_runsc(std::move(*argv), time_point::max(), std::move(fds));
  if (!done) {
    made->remove();
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

// SPDX-License-Identifier: Apache-2.0
// The content of files, read and written.
#include "operations.hpp"

#include <berth/base/file.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace berth::guest {

result<void> read_content(host_link& host, const guest_file_request& wanted) {
  const auto failed = [&](int err) { return file_error(err, "cannot read a file", wanted.path); };
  // O_NONBLOCK: nobody may ever write into a FIFO.
  const unique_fd file(::open(wanted.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return failed(errno);
  struct stat seen {};
  if (::fstat(file.get(), &seen) != 0) return failed(errno);
  if (S_ISDIR(seen.st_mode)) return failed(EISDIR);
  if (S_ISFIFO(seen.st_mode)) return file_error(EINVAL, "a FIFO is read by a command, not as a file", wanted.path);
  if (wanted.offset > 0 && ::lseek(file.get(), static_cast<off_t>(wanted.offset), SEEK_SET) < 0) return failed(errno);
  for (std::uint64_t left = wanted.limit; left > 0;) {
    iovec room[8];
    int count = 0;
    std::uint64_t asked = 0;
    for (const host_link::piece& one : host.pieces()) {
      const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(one.size, left - asked));
      if (size > 0) room[count++] = {one.data, size};
      asked += size;
    }
    const ssize_t n = ::readv(file.get(), room, count);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(errno);
    if (n == 0) break;
    left -= static_cast<std::uint64_t>(n);
    if (!host.say_pieces(static_cast<std::size_t>(n))) return failed(ECANCELED);
  }
  return {};
}

namespace {

// Where `path` leads, also where nothing is there yet.
std::string resolved(const std::string& path) {
  struct stat seen {};
  if (::lstat(path.c_str(), &seen) != 0 || !S_ISLNK(seen.st_mode)) return path;
  char* whole = ::realpath(path.c_str(), nullptr);
  std::string out = whole != nullptr ? whole : path;
  std::free(whole);
  return out;
}

}  // namespace

// Beside, and renamed, so that it is there whole or as it was, mode and owner kept; in place where that cannot be: in /proc, under
// a mount, for what is no file.
result<void> write_content(host_link& host, const guest_file_request& wanted) {
  std::string to = wanted.path;
  const auto failed = [&](int err) { return file_error(err, "cannot write a file", to); };
  if (wanted.parents && to.find('/') != to.npos) {
    if (const int err = make_directories(to.substr(0, to.rfind('/')), 0755); err != 0) return failed(err);
  }
  struct stat there {};
  bool exists = ::stat(to.c_str(), &there) == 0;
  if (exists && S_ISDIR(there.st_mode) && !wanted.other.empty()) {
    if (!to.ends_with('/')) to += '/';
    to += wanted.other;
    exists = ::stat(to.c_str(), &there) == 0;
  }
  if (!exists && errno != ENOENT) return failed(errno);
  if (exists && S_ISDIR(there.st_mode)) return failed(EISDIR);
  to = resolved(to);
  struct stat itself {};
  const bool dangling = !exists && ::lstat(to.c_str(), &itself) == 0;

  unique_fd file;
  std::string beside;
  if (!dangling && (!exists || S_ISREG(there.st_mode))) {
    beside = name_beside(to);
    file.reset(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file && errno == ENOENT) return failed(ENOENT);
    const uid_t uid = exists ? there.st_uid : ::geteuid();
    const gid_t gid = exists ? there.st_gid : ::getegid();
    const mode_t mode = wanted.mode ? *wanted.mode : exists ? there.st_mode & 07777 : 0644;
    if (file && ((exists && ::fchown(file.get(), uid, gid) != 0) || ::fchmod(file.get(), mode) != 0)) {
      ::unlink(beside.c_str());
      file.reset();
    }
    if (!file) beside.clear();
  }
  const auto open_in_place = [&](int flags) {
    file.reset(
        ::open(to.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags, wanted.mode.value_or(0644)));
    return static_cast<bool>(file);
  };
  if (!file && !open_in_place(O_TRUNC)) {
    // Who reads the FIFO may be about to open it.
    for (int tries = 0; tries < 500 && errno == ENXIO && exists && S_ISFIFO(there.st_mode); ++tries) {
      if (host.leaves_within(20)) return failed(ECANCELED);
      if (open_in_place(O_TRUNC)) break;
    }
    if (!file) return failed(errno);
  }

  int err = host.take_input([&](std::string_view data) { return write_all(file.get(), data); });
  if (err == 0 && beside.empty() && wanted.mode && ::fchmod(file.get(), *wanted.mode) != 0) err = errno;
  if (beside.empty()) return err == 0 ? result<void>() : failed(err);
  if (err == 0 && ::rename(beside.c_str(), to.c_str()) != 0) {
    // Something is mounted there.
    const unique_fd from(::open(beside.c_str(), O_RDONLY | O_CLOEXEC));
    if (!from || !open_in_place(O_TRUNC)) err = errno;
    for (std::string piece; err == 0;) {
      piece.resize(256 * 1024);
      const ssize_t n = ::read(from.get(), piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        if (n < 0) err = errno;
        break;
      }
      err = write_all(file.get(), std::string_view(piece).substr(0, static_cast<std::size_t>(n)));
    }
    ::unlink(beside.c_str());
  } else if (err != 0) {
    ::unlink(beside.c_str());
  }
  return err == 0 ? result<void>() : failed(err);
}

}  // namespace berth::guest

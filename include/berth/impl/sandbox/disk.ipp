// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/hints.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/process/process.hpp>
#include <berth/sandbox/detail/disk.hpp>
#include <berth/sandbox/detail/host_resources.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string_view>
#include <vector>

namespace berth::detail {

inline constexpr std::uint64_t disk_block = 4096;

inline constexpr const char* without_disks =
    "give a size to a data root in memory, or name a directory on a file system of that size";

BERTH_DECL result<void> check_disk_machine() {
  if (::access("/dev/loop-control", F_OK) == 0) return {};
  return make_error(errc::unsupported, "sandbox", "this machine has no loop devices for a file system of a size",
                    "/dev/loop-control", std::string("load the kernel's module `loop`; or ") + without_disks);
}

BERTH_DECL bool loop_device_has(const std::string& file) {
  struct stat wanted {};
  if (::stat(file.c_str(), &wanted) != 0) return false;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir("/sys/block"), &::closedir);
  if (!dir) return false;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string name = entry->d_name;
    // Opening one makes it where it is not there; so only those that have a file.
    if (!name.starts_with("loop") || ::access(("/sys/block/" + name + "/loop/backing_file").c_str(), F_OK) != 0)
      continue;
    const unique_fd device(::open(("/dev/" + name).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    loop_info64 info{};
    if (device && ::ioctl(device.get(), LOOP_GET_STATUS64, &info) == 0 && info.lo_device == wanted.st_dev &&
        info.lo_inode == wanted.st_ino)
      return true;
  }
  return false;
}

inline boost::asio::awaitable<result<void>> run_disk_tool(std::vector<std::string> argv, std::string failure,
                                                          std::string path, std::string hint, time_point deadline,
                                                          int most_code = 0) {
  const std::string program = argv.front();
  spawn_options options;
  options.argv = std::move(argv);
  options.env = minimal_environment();
  options.parent_death_signal = SIGKILL;
  stdio_options io;
  auto running = run_process(std::move(options), std::move(io), deadline);
  auto done = co_await std::move(running);
  if (!done) {
    error e = std::move(done).error();
    if (e.code == errc::not_found) e.hint = "install " + program + "; or " + without_disks;
    co_return e;
  }
  if (done->status.signal == 0 && done->status.code <= most_code) co_return result<void>();
  error e = make_error(errc::mount_failed, "sandbox", std::move(failure), std::move(path), std::move(hint));
  e.detail = program + " ended with " + done->status.to_string() + ": " + done->err;
  co_return e;
}

/// Beside its name, so that one that is there is whole.
inline boost::asio::awaitable<result<void>> make_disk(std::string file, std::uint64_t bytes, time_point deadline) {
  const std::string unfinished = file + ".new";
  const unique_fd fd(::open(unfinished.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0)
    co_return errno_error(errno, "sandbox", "cannot make the file for a file system of a size", unfinished);
  // Nothing is written ahead of its use, so that the file takes no more of the disk than what is in it.
  std::vector<std::string> argv{"mkfs.ext4",
                                "-q",
                                "-F",
                                "-b",
                                std::to_string(disk_block),
                                "-m",
                                "0",
                                "-E",
                                "lazy_itable_init=1,lazy_journal_init=1,nodiscard",
                                unfinished};
  auto making = run_disk_tool(std::move(argv), "cannot make a file system", unfinished, {}, deadline);
  auto made = co_await std::move(making);
  if (made && ::rename(unfinished.c_str(), file.c_str()) != 0)
    made = errno_error(errno, "sandbox", "cannot make the file for a file system of a size", file);
  if (!made) ::unlink(unfinished.c_str());
  co_return made;
}

/// How large the file system says that it is, by its superblock: the file may have been let grow alone. 0: it is none.
inline std::uint64_t ext4_bytes(int file) {
  std::array<unsigned char, 1024> block{};
  if (::pread(file, block.data(), block.size(), 1024) != static_cast<ssize_t>(block.size())) return 0;
  const auto word = [&block](std::size_t at) {
    return std::uint64_t{block[at]} | std::uint64_t{block[at + 1]} << 8 | std::uint64_t{block[at + 2]} << 16 |
           std::uint64_t{block[at + 3]} << 24;
  };
  if ((word(0x38) & 0xffff) != 0xef53 || word(0x18) > 6) return 0;
  return (word(0x150) << 32 | word(0x4)) << (10 + word(0x18));
}

/// While it is not mounted: mounted it would take CAP_SYS_RESOURCE.
inline boost::asio::awaitable<result<void>> grow_disk(std::string file, std::uint64_t bytes, time_point deadline) {
  std::vector<std::string> checking{"e2fsck", "-f", "-p", file};  // resize2fs wants it, and its journal written back
  auto check = run_disk_tool(std::move(checking), "the file system is damaged", file, "see `e2fsck -f` on the file",
                             deadline, 1);
  BERTH_CO_TRY(co_await std::move(check));
  std::vector<std::string> growing{"resize2fs", file, std::to_string(bytes >> 10) + "K"};
  auto grow = run_disk_tool(std::move(growing), "cannot let the file system grow", file, {}, deadline);
  co_return co_await std::move(grow);
}

/// Says in a file beside the disk's whose it is, unless a sandbox that is alive has said so, of whatever root directory. Of loop
/// devices this cannot be learned: gVisor's gofers of other sandboxes, each with a copy of the host's mounts from when it was begun, keep
/// in it what was unmounted since, until they end.
inline result<void> claim_disk(const sandbox_record& record) {
  const std::string mark = record.disk->file + ".user";
  if (const auto user = read_file(mark, 4096, "sandbox"); user && *user != record.directory) {
    const auto other = read_record(*user);
    const bool lives = other && (other->lives() || (other->phase == record_phase::creating && other->creator.alive()));
    if (lives && other->disk_file() == record.disk->file)
      return make_error(errc::exists, "sandbox", "the sandbox " + other->id + " has this file system",
                        record.disk->file, "name another directory, or " + hints::remove_sandbox(other->id));
  }
  return replace_file(mark, record.directory, 0600, "sandbox");
}

BERTH_DECL boost::asio::awaitable<result<void>> mount_disk(const sandbox_record& record, time_point deadline) {
  const std::string file = record.disk_file(), at = record.disk_mount();
  std::uint64_t bytes = record.disk->bytes;
  if (::mkdir(at.c_str(), 0700) != 0) co_return errno_error(errno, "sandbox", "cannot make the directory", at);
  struct stat info {};
  if (::lstat(file.c_str(), &info) != 0) {
    if (errno != ENOENT || bytes == 0) co_return errno_error(errno, "sandbox", "cannot open the disk", file);
    auto making = make_disk(file, bytes, deadline);
    BERTH_CO_TRY(co_await std::move(making));
  }
  const unique_fd disk(::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!disk || ::fstat(disk.get(), &info) != 0) co_return errno_error(errno, "sandbox", "cannot open the disk", file);
  if (!S_ISREG(info.st_mode))
    co_return make_error(errc::invalid, "sandbox", "the disk is no regular file", file, "move it away");
  const std::uint64_t has = ext4_bytes(disk.get());
  if (has == 0) co_return make_error(errc::invalid, "sandbox", "there is no ext4 in the file", file, "move it away");
  bytes = bytes == 0 ? has : bytes / disk_block * disk_block;
  if (bytes < has)
    co_return make_error(
        errc::invalid, "sandbox",
        "the file system has " + std::to_string(has) + " bytes and cannot become smaller, to " + std::to_string(bytes),
        file, "give no less; or name another directory");
  // Held until it is mounted, and whoever comes next sees whose it is.
  if (::flock(disk.get(), LOCK_EX | LOCK_NB) != 0)
    co_return make_error(errc::exists, "sandbox", "another sandbox is about to have this file system", file,
                         "name another directory");
  if (!record.disk->file.empty()) BERTH_CO_TRY(claim_disk(record));
  if (bytes > has && loop_device_has(file))
    co_return make_error(
        errc::again, "sandbox", "the file system cannot grow yet: the kernel has not let go of it", file,
        "it does when the sandboxes have ended that were begun while it was in use; leave the size out until then");
  if (bytes > has) {
    auto growing = grow_disk(file, bytes, deadline);
    BERTH_CO_TRY(co_await std::move(growing));
  }
  // A loop device that has the file still is used again, by which it is the same file system. Not noexec: gVisor maps what
  // programs it runs from here. noinit_itable: else the kernel writes all inode tables by and by.
  std::vector<std::string> argv{
      "mount", "-t", "ext4", "-o", "loop,nosuid,nodev,noatime,discard,noinit_itable,errors=remount-ro", file, at};
  auto mounting = run_disk_tool(
      std::move(argv), "cannot mount the file system", file,
      "see the kernel's log (dmesg), and `e2fsck -f` on the file; or " + std::string(without_disks), deadline);
  co_return co_await std::move(mounting);
}

BERTH_DECL boost::asio::awaitable<result<void>> unmount_disk(sandbox_record record, time_point deadline) {
  const std::string at = record.disk_mount();
  struct stat above {};
  struct stat top {};
  if (::stat(record.directory.c_str(), &above) == 0 && ::stat(at.c_str(), &top) == 0 && top.st_dev != above.st_dev) {
    // In a process of its own, since unmounting would write it all on this thread. What fails here fails there as well.
    std::vector<std::string> argv{"sync", "--file-system", at};
    auto writing = run_disk_tool(std::move(argv), "cannot write the disk", at, {}, deadline);
    (void)co_await std::move(writing);
  }
  std::string path = at;
  auto unmounting = unmount_shared(std::move(path));
  co_return co_await std::move(unmounting);
}

}  // namespace berth::detail

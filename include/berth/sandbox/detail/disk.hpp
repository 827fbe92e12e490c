// SPDX-License-Identifier: Apache-2.0
// A sandbox's disk: a file system of a size in a file of the host's, on a loop device. What is full of it is full, and the
// host's file system is not; no quota of that is needed, which few have turned on.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/sandbox/record.hpp>

#include <boost/asio/awaitable.hpp>

namespace berth::detail {

/// Refuses a machine that can have no disks, in words. Errors: unsupported.
BERTH_DECL result<void> check_disk_machine();

/// Mounts `record.disk` at record.disk_mount(), whose file is made where it is missing, and grows to what was asked for.
/// Errors: exists (a sandbox that is alive has it), invalid (it would have to shrink; something else than an ext4 is there), again (it
/// cannot grow yet), unsupported, mount_failed, timeout, io, permission.
BERTH_DECL boost::asio::awaitable<result<void>> mount_disk(const sandbox_record& record, time_point deadline);

/// Writes what is not on the disk yet, for no longer than `deadline`, and unmounts. Idempotent. Errors: as unmount_shared.
BERTH_DECL boost::asio::awaitable<result<void>> unmount_disk(sandbox_record record, time_point deadline);

/// Whether a loop device of this host has the file, by whatever name it was opened.
BERTH_DECL bool loop_device_has(const std::string& file);

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/disk.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
// What went wrong, where, and what to do about it.
#pragma once

#include <berth/config.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace berth {

/// Error codes, one block of numbers a layer. The numbers are part of the C ABI (`berth_status`): they are only ever
/// appended to, and a retired number is never used again.
enum class errc : std::int32_t {
  ok = 0,
  // Any layer.
  invalid = -1,      ///< an argument is malformed or contradicts another
  no_memory = -2,    ///< an allocation failed
  internal = -3,     ///< a defect of berth's own
  state = -4,        ///< not possible in the present state
  closed = -5,       ///< the object was closed
  cancelled = -6,    ///< the caller cancelled
  timeout = -7,      ///< the deadline passed
  again = -8,        ///< not now, try again
  unsupported = -9,  ///< this machine or this binary cannot do it
  forked = -10,      ///< called in a child after fork
  too_big = -11,     ///< larger than the stated limit
  not_found = -12,   ///< no such object, file or program
  exists = -13,      ///< the name is taken
  permission = -14,  ///< not allowed; most of berth needs root
  io = -15,          ///< a system call failed; see error::sys_errno
  // spec
  spec_syntax = -20,         ///< not JSON (RFC 8259), or not UTF-8
  spec_duplicate_key = -21,  ///< a key twice in one object, exactly, by escape or by case
  spec_key_case = -22,       ///< a key that is a known field but for its case
  spec_type = -23,           ///< a value of the wrong type
  spec_too_deep = -24,       ///< nested deeper than the limit
  spec_too_large = -25,      ///< longer than the limit
  spec_path = -26,           ///< a path that is relative, has `..`, or lies where it must not
  spec_capability = -27,     ///< not a Linux capability
  spec_id = -28,             ///< not a container id that runsc takes
  spec_nul = -29,            ///< a NUL in a string
  spec_number = -30,         ///< a number out of range
  // runsc
  runsc_not_found = -40,         ///< no runsc binary
  runsc_flag_unsupported = -41,  ///< this runsc lacks the flag
  runsc_failed = -42,            ///< runsc ended with an error
  runsc_output = -43,            ///< runsc printed what berth cannot read
  // process, network, sandbox
  spawn_failed = -60,         ///< the program could not be started
  process_exited = -61,       ///< the process ended before its time
  network_failed = -62,       ///< ip or nft refused
  mount_failed = -63,         ///< mount or umount refused
  sandbox_not_running = -64,  ///< the sandbox is stopped, or its init has exited
  record_damaged = -65,       ///< the sandbox's record on disk cannot be read
  hostile = -66,              ///< the sandbox put something in the shared directory that is not what it must be
  // docker
  daemon_not_present = -80,  ///< the root file system has no dockerd
  daemon_failed = -81,       ///< dockerd ended, or could not be started
  daemon_not_ready = -82,    ///< dockerd did not answer in time
  docker_failed = -83,       ///< a docker command failed
  // readiness
  probe_failed = -100,  ///< a probe met an error that waiting cannot mend
};

/// The name of a code as it appears in messages and JSON, for instance "spec_duplicate_key". Static text.
BERTH_DECL std::string_view errc_name(errc code) noexcept;

/// An error, owned and immutable in use. Every message says what happened; `path` says where; `hint` what to do.
struct error {
  errc code = errc::internal;
  int sys_errno = 0;    ///< errno where a system call failed, else 0
  std::string layer;    ///< "spec", "runsc", "process", "readiness", "network", "sandbox", "docker", "cli"
  std::string message;  ///< what happened, one line, no trailing full stop
  std::string path;     ///< JSON pointer (spec), file path, flag, or empty
  std::string hint;     ///< what to do, or empty
  std::string detail;   ///< longer evidence, such as the last lines of a program's output, or empty

  /// "layer: message (path): strerror; hint" on one line, then the detail on lines of its own.
  BERTH_DECL std::string to_string() const;
};

/// Builds an error; the designated-initialiser form of `error` is as good.
BERTH_DECL error make_error(errc code, std::string_view layer, std::string message, std::string path = {},
                            std::string hint = {});

/// Builds an error from errno (`err`), mapping ENOENT, EEXIST, EACCES, EPERM and ENOMEM to their codes.
BERTH_DECL error errno_error(int err, std::string_view layer, std::string message, std::string path = {},
                             std::string hint = {});

/// Whether it failed for want of descriptors or memory in this process or on this host, which says nothing about what was
/// asked: a file that could not be opened for that reason may be there.
BERTH_DECL bool lacks_resources(const error& e) noexcept;

/// What `result<T>::value()` throws when there is no value.
class exception : public std::runtime_error {
 public:
  explicit exception(error e) : std::runtime_error(e.to_string()), error_(std::move(e)) {}
  const error& get() const noexcept { return error_; }

 private:
  error error_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/base/error.ipp>
#endif

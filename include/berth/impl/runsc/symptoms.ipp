// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/config.hpp>

#include <string>
#include <string_view>

namespace berth::detail {

inline bool has_text(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Lines that a healthy start has as well (seen on release-20260701.0 and 20260905.0).
inline bool is_log_noise(std::string_view message) {
  constexpr std::string_view noise[] = {
      "--allow-suid is disabled",
      "Not setting product_name",
      "Host setting \"",
      "Host limit is lower than",
      "SECCOMP WARNING",
      "Failure to execute command",
      "Ignoring allow-suid",
      "Running in debug mode",
      "Optional feature",
      "ptrace_scope",
      "Unable to find vsyscall",
      "Usage: ",
      "embedded sidecar binaries are deprecated",
      "No precompiled program found for config options",
      "gVisor startup is slower if `--root`",
      "***",
  };
  for (std::string_view one : noise)
    if (has_text(message, one)) return true;
  return false;
}

/// What is said when another process of the same start has failed before: the end of a pipe or of a connection.
inline bool is_consequence(std::string_view message) {
  constexpr std::string_view signs[] = {
      "waiting for sandbox to start: EOF",
      "Error reading mounts file",
      "unable to read from the sync descriptor",
      "connecting to control server",
      "failed: EOF",
      "connection reset by peer",
      "unexpected EOF",
      "sandbox is not running",
      "broken pipe",
      "failed to read boot process state",
      "error reading from sync pipe",
  };
  for (std::string_view one : signs)
    if (has_text(message, one)) return true;
  return message.size() >= 5 && message.substr(message.size() - 5) == ": EOF";
}

/// Two texts that a line holds, and what to do about it.
struct runsc_symptom {
  std::string_view part;
  std::string_view other;
  std::string_view hint;
};

inline std::string find_symptom(std::string_view line) {
  constexpr runsc_symptom known[] = {
      {"error setting up FS: opening", "no such file",
       "the source of a bind mount does not exist: make it, or take the mount out of the spec"},
      {"OpenMount failed", "no such file",
       "the source of a bind mount does not exist: make it, or take the mount out of the spec"},
      {"Rejecting attempt to create unix domain socket", "",
       "a socket was bound in a directory of the host, where the host does not see it: start runsc with --host-uds=create"},
      {"Rejecting attempt to connect to unix domain socket", "",
       "a socket of the host was connected to: start runsc with --host-uds=open, and know what that opens"},
      {"Error setting up root FS", "not a directory", "the root file system (root.path) is no directory"},
      {"Error setting up root FS", "", "check the root file system that the spec names (root.path)"},
      {"error setting up FS: mounting", "not a directory",
       "a mount's source is a directory and its destination a file, or the other way round"},
      {"error setting up FS: mounting", "", "check the mount that is named: source, destination and options"},
      {"failed to stat mount", "no such file", "the root file system (root.path) or a mount's source does not exist"},
      {"error finding executable", "",
       "the program is in no directory of PATH inside: give its full path, or set PATH"},
      {"failed to load", "no such file",
       "the program, or the interpreter that it names, is not in the root file system"},
      {"failed to load", "permission denied", "the file is no program that can be run: check its mode and its kind"},
      {"failed to load", "exec format error", "the program is for another machine, or has no #! line"},
      {"initial working directory", "no such file", "make the working directory, or name another (process.cwd)"},
      {"configuring cgroup", "device or resource busy",
       "runsc runs in a cgroup that has processes of its own: move them to a leaf cgroup, or use --ignore-cgroups"},
      {"configuring cgroup", "no such file", "this host lacks a cgroup controller that linux.resources names"},
      {"configuring cgroup", "", "the host's cgroup refused a limit: check linux.resources and linux.cgroupsPath"},
      {"cannot set up cgroup", "", "check linux.cgroupsPath and that cgroups are writable, or use --ignore-cgroups"},
      {"cannot run with network enabled in root network namespace", "",
       "give the sandbox a network namespace of its own, or --network=none; runsc before 20240807.0 takes every namespace for the root one on Linux 6.11 and newer"},
      {"starting sandbox: error opening", "no such file", "the network namespace that the spec names does not exist"},
      {"error setting namespace of type", "invalid argument",
       "the file that the spec names is no namespace of that kind"},
      {"unable to find location to write socket file", "", "the id is too long for a socket's path: use a shorter one"},
      {"no such device or address", "",
       "a socket was bound in a directory of the host: start runsc with --host-uds=create"},
      {"filestore director", "no such file", "the directory of --overlay2=…:dir= does not exist"},
      {"error opening debug log file", "", "make the directory of --debug-log first"},
      {"loading container: file does not exist", "", "there is no such container under this --root"},
      {"already exists", "container",
       "the id is in use under this --root: delete the old container, or take another id"},
      {"/dev/kvm", "", "this host cannot do --platform=kvm: use systrap"},
      {"too many open files", "", "raise the limit of open files (RLIMIT_NOFILE, ulimit -n)"},
      {"dup3 of stdios failed", "",
       "the limit of open files is too low for runsc: raise it to 1024 or more (RLIMIT_NOFILE, ulimit -n)"},
      {"cannot allocate memory", "",
       "the host is out of memory, or the sandbox's memory limit is too small for the sandbox itself"},
      {"no space left on device", "", "free space where the overlay's filestore and the state directory are"},
      {"sidecar", "not usable", "this runsc needs the rest of its release: put the directory gvisor-bin beside it"},
      {"panic: ", "", "this is a defect of runsc: keep the log, and try another release"},
  };
  for (const runsc_symptom& one : known)
    if (has_text(line, one.part) && (one.other.empty() || has_text(line, one.other))) return std::string(one.hint);
  return {};
}

}  // namespace berth::detail

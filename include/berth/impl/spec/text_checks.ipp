// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/utf8.hpp>
#include <berth/spec/detail/scan.hpp>

#include <cstdint>
#include <cstring>
#include <iterator>

namespace berth::detail {

// linux/capability.h up to CAP_LAST_CAP = CAP_CHECKPOINT_RESTORE (Linux 5.9 to 6.x), without the prefix.
inline constexpr std::string_view capability_names[] = {
    "AUDIT_CONTROL",   "AUDIT_READ",   "AUDIT_WRITE",
    "BLOCK_SUSPEND",   "BPF",          "CHECKPOINT_RESTORE",
    "CHOWN",           "DAC_OVERRIDE", "DAC_READ_SEARCH",
    "FOWNER",          "FSETID",       "IPC_LOCK",
    "IPC_OWNER",       "KILL",         "LEASE",
    "LINUX_IMMUTABLE", "MAC_ADMIN",    "MAC_OVERRIDE",
    "MKNOD",           "NET_ADMIN",    "NET_BIND_SERVICE",
    "NET_BROADCAST",   "NET_RAW",      "PERFMON",
    "SETFCAP",         "SETGID",       "SETPCAP",
    "SETUID",          "SYSLOG",       "SYS_ADMIN",
    "SYS_BOOT",        "SYS_CHROOT",   "SYS_MODULE",
    "SYS_NICE",        "SYS_PACCT",    "SYS_PTRACE",
    "SYS_RAWIO",       "SYS_RESOURCE", "SYS_TIME",
    "SYS_TTY_CONFIG",  "WAKE_ALARM",
};
inline constexpr std::size_t capability_count = std::size(capability_names);

constexpr unsigned hash_capability(std::string_view bare) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(bare[i])); };
  return (at(0) * 50 + at(bare.size() - 1) * 42 + at(bare.size() / 2) * 54 + static_cast<unsigned>(bare.size())) & 127;
}

/// A perfect hash: a container's spec names some seventy capabilities, and the recipe looks at all of them again.
struct capability_table {
  std::int8_t slot[128];
  constexpr capability_table() : slot() {
    for (std::int8_t& s : slot) s = -1;
    for (std::size_t i = 0; i < capability_count; ++i) {
      const unsigned at = hash_capability(capability_names[i]);
      if (slot[at] >= 0) throw "two capabilities share a slot";  // does not compile then
      slot[at] = static_cast<std::int8_t>(i);
    }
  }
};
inline constexpr capability_table capability_slots;

/// The place of a name with its prefix in `capability_names`, or -1.
inline int capability_index(std::string_view name) noexcept {
  if (name.size() < 5 || std::memcmp(name.data(), "CAP_", 4) != 0) return -1;
  name.remove_prefix(4);
  const int index = capability_slots.slot[hash_capability(name)];
  return index >= 0 && capability_names[index] == name ? index : -1;
}

BERTH_DECL bool is_capability(std::string_view name) noexcept { return capability_index(name) >= 0; }

/// The next component of `path` from `at`, or an empty view at the end; moves `at` past it.
inline std::string_view next_component(std::string_view path, std::size_t& at) noexcept {
  while (at < path.size() && path[at] == '/') ++at;
  const std::size_t start = at;
  while (at < path.size() && path[at] != '/') ++at;
  return path.substr(start, at - start);
}

inline bool has_dot_dot(std::string_view path) noexcept {
  if (path.find("..") == std::string_view::npos) return false;
  for (std::size_t at = 0;;) {
    const std::string_view part = next_component(path, at);
    if (part.empty()) return false;
    if (part == "..") return true;
  }
}

BERTH_DECL const char* check_cwd(std::string_view path) noexcept {
  if (path.empty()) return nullptr;  // what Go writes for a field that was never set
  if (path.front() != '/') return "the working directory is not an absolute path";
  // Lexical cleaning: a component, an empty one or "." aside, and ".." taking the one before it away.
  std::string_view first;
  int depth = 0;
  for (std::size_t at = 0;;) {
    const std::string_view part = next_component(path, at);
    if (part.empty()) break;
    if (part == ".") continue;
    if (part == "..") {
      if (depth > 0) --depth;
    } else {
      if (depth == 0) first = part;
      ++depth;
    }
  }
  // A working directory beneath /proc/<pid>/fd leads out of the container (CVE-2024-21626).
  if (depth > 0 && first == "proc") return "the working directory lies beneath /proc";
  return nullptr;
}

BERTH_DECL const char* check_destination(std::string_view path) noexcept {
  if (path.empty() || path.front() != '/') return "a mount's destination is not an absolute path";
  if (has_dot_dot(path)) return "a mount's destination has a `..` in it";
  return nullptr;
}

BERTH_DECL const char* check_text(std::string_view text) noexcept {
  while (!text.empty()) {
    if (text.front() == '\0') return "a string has a NUL in it";
    const std::size_t length = utf8_length(text);
    if (length == 0) return "a string is not UTF-8";
    text.remove_prefix(length);
  }
  return nullptr;
}

}  // namespace berth::detail

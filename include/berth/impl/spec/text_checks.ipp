#pragma once

#include <berth/spec/detail/scan.hpp>

#include <cstdint>
#include <cstring>
#include <iterator>

namespace berth::detail {

/// Length of the well-formed UTF-8 sequence at `p` (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF), or 0.
/// Reads no byte past the first that is wrong, so a NUL at the end of the text stops it.
inline int utf8_sequence(const unsigned char* p) noexcept {
  const unsigned char c = p[0];
  if (c < 0x80) return 1;
  if (c < 0xc2) return 0;
  if (c < 0xe0) return (p[1] & 0xc0) == 0x80 ? 2 : 0;
  if (c < 0xf0) {
    const unsigned char low = c == 0xe0 ? 0xa0 : 0x80;
    const unsigned char high = c == 0xed ? 0x9f : 0xbf;
    return p[1] >= low && p[1] <= high && (p[2] & 0xc0) == 0x80 ? 3 : 0;
  }
  if (c < 0xf5) {
    const unsigned char low = c == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = c == 0xf4 ? 0x8f : 0xbf;
    return p[1] >= low && p[1] <= high && (p[2] & 0xc0) == 0x80 && (p[3] & 0xc0) == 0x80 ? 4 : 0;
  }
  return 0;
}

// linux/capability.h up to CAP_LAST_CAP = CAP_CHECKPOINT_RESTORE (Linux 5.9 to 6.x), without the prefix.
inline constexpr std::string_view capability_names[] = {
    "AUDIT_CONTROL",  "AUDIT_READ",     "AUDIT_WRITE",      "BLOCK_SUSPEND",   "BPF",       "CHECKPOINT_RESTORE",
    "CHOWN",          "DAC_OVERRIDE",   "DAC_READ_SEARCH",  "FOWNER",          "FSETID",    "IPC_LOCK",
    "IPC_OWNER",      "KILL",           "LEASE",            "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE",
    "MKNOD",          "NET_ADMIN",      "NET_BIND_SERVICE", "NET_BROADCAST",   "NET_RAW",   "PERFMON",
    "SETFCAP",        "SETGID",         "SETPCAP",          "SETUID",          "SYSLOG",    "SYS_ADMIN",
    "SYS_BOOT",       "SYS_CHROOT",     "SYS_MODULE",       "SYS_NICE",        "SYS_PACCT", "SYS_PTRACE",
    "SYS_RAWIO",      "SYS_RESOURCE",   "SYS_TIME",         "SYS_TTY_CONFIG",  "WAKE_ALARM",
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
  // Sequences are looked at in place; one that the end cuts short is copied, so that nothing beyond it is read.
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == 0) return "a string has a NUL in it";
    if (c < 0x80) {
      ++i;
      continue;
    }
    unsigned char bytes[5] = {};
    std::memcpy(bytes, text.data() + i, text.size() - i < 4 ? text.size() - i : 4);
    const int length = utf8_sequence(bytes);
    if (length == 0) return "a string is not UTF-8";
    i += static_cast<std::size_t>(length);
  }
  return nullptr;
}

}  // namespace berth::detail

// SPDX-License-Identifier: Apache-2.0
#include "memory_cgroup.hpp"

#include <berth/base/file.hpp>
#include <berth/base/text.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace berth::guest {
namespace {

std::optional<std::uint64_t> read_number(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return parse_number<std::uint64_t>(text);
}

constexpr int most_levels = 16;

void collect(const std::string& directory, int levels, std::vector<pid_t>& out) {
  const std::string text = read_system_file(directory + "/cgroup.procs");
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto pid = parse_number<pid_t>(line);
    if (pid && *pid > 1) out.push_back(*pid);
  }
  DIR* const entries = levels > 0 ? ::opendir(directory.c_str()) : nullptr;
  if (entries == nullptr) return;
  while (const dirent* entry = ::readdir(entries)) {
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') collect(directory + "/" + entry->d_name, levels - 1, out);
  }
  ::closedir(entries);
}

}  // namespace

memory_cgroup::memory_cgroup(std::string directory) : directory_(std::move(directory)) { reopen(); }

bool memory_cgroup::reopen() {
  usage_.reset(::open((directory_ + "/memory.usage_in_bytes").c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  return static_cast<bool>(usage_);
}

std::optional<std::uint64_t> memory_cgroup::usage() const {
  char text[64];
  const ssize_t n = usage_ ? ::pread(usage_.get(), text, sizeof text, 0) : -1;
  return n > 0 ? read_number({text, static_cast<std::size_t>(n)}) : std::nullopt;
}

std::optional<std::uint64_t> memory_cgroup::limit() const {
  const auto bytes = read_number(read_system_file(directory_ + "/memory.limit_in_bytes", 64));
  // "None" is a number near 2^63, by page or by byte.
  return bytes && *bytes < std::uint64_t{1} << 60 ? bytes : std::nullopt;
}

std::vector<pid_t> memory_cgroup::processes() const {
  std::vector<pid_t> out;
  collect(directory_, most_levels, out);
  return out;
}

std::uint64_t resident_bytes(pid_t pid) {
  // In pages: all of it, then what is resident.
  const std::string statm = read_system_file("/proc/" + std::to_string(pid) + "/statm", 256);
  std::string_view text = statm;
  text.remove_prefix(std::min(text.size(), text.find(' ') + 1));
  const auto pages = parse_number<std::uint64_t>(text.substr(0, text.find(' ')));
  return pages.value_or(0) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace berth::guest

// SPDX-License-Identifier: Apache-2.0
#include "processes.hpp"

#include <berth/base/file.hpp>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string_view>

namespace berth::guest {
namespace {

std::string entry_of(pid_t pid, const char* name) { return "/proc/" + std::to_string(pid) + "/" + name; }

}  // namespace

std::vector<pid_t> processes() {
  std::vector<pid_t> all;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc"), &::closedir);
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr)
    if (const pid_t pid = std::atoi(entry->d_name); pid > 0) all.push_back(pid);
  return all;
}

std::string name_of_process(pid_t pid) {
  std::string name = read_system_file(entry_of(pid, "comm"), 64);
  if (name.ends_with('\n')) name.pop_back();
  return name;
}

bool runs_this_program(pid_t pid) {
  struct stat own {
  }, other{};
  return ::stat("/proc/self/exe", &own) == 0 && ::stat(entry_of(pid, "exe").c_str(), &other) == 0 &&
         own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

pid_t parent_of(pid_t pid) {
  const std::string text = read_system_file(entry_of(pid, "status"), 4096);
  constexpr std::string_view mark = "\nPPid:";
  const std::size_t at = text.find(mark);
  return at == std::string::npos ? 0 : std::atoi(text.c_str() + at + mark.size());
}

std::string network_namespace_of(pid_t pid) {
  char text[64];
  const ssize_t n = ::readlink(entry_of(pid, "ns/net").c_str(), text, sizeof text);
  return n > 0 ? std::string(text, static_cast<std::size_t>(n)) : std::string();
}

}  // namespace berth::guest

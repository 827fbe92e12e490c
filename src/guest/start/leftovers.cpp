// SPDX-License-Identifier: Apache-2.0
#include "start/leftovers.hpp"

#include "base/link.hpp"
#include "base/pause.hpp"

#include <berth/base/file.hpp>

#include <dirent.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace berth::guest {
namespace {

// The files of a directory whose names fit. glob(3) would bring the user database along, for "~user".
std::vector<std::string> matches(const std::string& directory, const char* pattern) {
  std::vector<std::string> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> all(::opendir(directory.c_str()), &::closedir);
  while (const dirent* entry = all ? ::readdir(all.get()) : nullptr)
    if (::fnmatch(pattern, entry->d_name, FNM_PERIOD) == 0) out.push_back(directory + "/" + entry->d_name);
  return out;
}

bool is_running(pid_t pid) {
  struct stat info {};
  return ::lstat(("/proc/" + std::to_string(pid) + "/exe").c_str(), &info) == 0;
}

void end_and_wait(pid_t pid) {
  ::kill(pid, SIGKILL);
  for (int tries = 0; tries < 200 && is_running(pid); ++tries) pause_for(10);
}

// A pid file is believed where its process has the name that it should have: pids come again.
bool is_named(pid_t pid, std::string_view name) {
  return pid > 1 && read_system_file("/proc/" + std::to_string(pid) + "/comm") == std::string(name) + "\n";
}

void remove_stale(const std::string& file, const std::string& what, const start_markers& tell) {
  if (::unlink(file.c_str()) == 0) tell.say("stale", what);
}

bool is_bridge_of_docker(const std::string& name) {
  return name == "docker0" || ::fnmatch("br-????????????", name.c_str(), 0) == 0;
}

}  // namespace

bool clear_processes(pid_t lost, const start_markers& tell) {
  for (const char* directory : {"/run", "/var/run"}) {
    for (const std::string& file : matches(directory, "docker*.pid")) {
      const pid_t pid = read_pid_file(file);
      if (!is_named(pid, "dockerd")) {
        remove_stale(file, file, tell);
        continue;
      }
      if (pid != lost) {
        tell.say("running", std::to_string(pid));
        return false;
      }
      end_and_wait(pid);
      remove_stale(file, "dockerd " + std::to_string(pid), tell);
    }
  }
  const std::string containerd = "/run/docker/containerd/containerd.pid";
  if (const pid_t pid = read_pid_file(containerd); is_named(pid, "containerd")) ::kill(pid, SIGKILL);
  remove_stale(containerd, containerd, tell);
  for (const std::string& socket : matches("/run/docker/containerd", "containerd*.sock*")) ::unlink(socket.c_str());
  return true;
}

bool rename_default_bridge(std::string& content) {
  constexpr std::string_view before = "\"BridgeName\":\"docker0\"", after = "\"BridgeName\":\"berth-0\"";
  static_assert(before.size() == after.size(), "the file is a database whose pages must not move");
  bool found = false;
  for (std::size_t at = 0; (at = content.find(before, at)) != std::string::npos; found = true)
    content.replace(at, before.size(), after);
  return found;
}

void clear_bridges(const std::string& networks, const start_markers& tell) {
  const std::vector<std::string> links = link_names();
  bool has_default = false;
  for (const std::string& name : links) has_default = has_default || name == "docker0";
  for (const std::string& name : links) {
    if (!has_default || !is_bridge_of_docker(name)) continue;
    const int err = delete_link(name);
    if (err == 0) tell.say("stale", name);
    else tell.warn("cannot remove " + name + ": " + std::strerror(err));
  }
  constexpr std::size_t limit = 256u << 20;
  std::string content;
  if (try_read_system_file(networks, content, limit) != 0 || !rename_default_bridge(content)) return;
  if (replace_file(networks, content, 0644, "docker")) {
    tell.say("stale", "docker0 in " + networks);
  } else {
    ::unlink(networks.c_str());
    tell.warn("networks of an earlier dockerd are forgotten");
  }
}

}  // namespace berth::guest

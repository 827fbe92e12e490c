// SPDX-License-Identifier: Apache-2.0
#include "docker_network.hpp"

#include "base/tool.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <set>

namespace berth::guest {
namespace {

constexpr const char* script = "/run/berth-docker/network";
constexpr const char* script_args = "/run/berth-docker/network.args";

pid_t parent_of(const std::string& pid) {
  const std::string text = read_system_file("/proc/" + pid + "/stat");
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 4 > text.size()) return 0;
  return std::atoi(text.c_str() + name_end + 4);  // ") S "
}

// What follows the bridges by the old address: the script's shells, and what they run.
void end_watchers() {
  std::set<pid_t> watchers;
  const std::string mark = std::string("sh\0", 3) + script + std::string("\0watch\0", 7);
  for (const bool children : {false, true}) {
    const std::unique_ptr<DIR, int (*)(DIR*)> all(::opendir("/proc"), &::closedir);
    while (const dirent* entry = all ? ::readdir(all.get()) : nullptr) {
      const pid_t pid = std::atoi(entry->d_name);
      if (pid <= 1) continue;
      const bool is_one = children
                              ? watchers.contains(parent_of(entry->d_name))
                              : read_system_file(std::string("/proc/") + entry->d_name + "/cmdline").starts_with(mark);
      if (is_one) watchers.insert(pid);
    }
  }
  for (const pid_t pid : watchers) ::kill(pid, SIGKILL);
}

}  // namespace

bool parse_docker_network_args(std::string_view text, docker_network_args& to) {
  for (std::string* line : {&to.iptables, &to.snat, &to.device, &to.address, &to.outside, &to.networks, &to.dockerd}) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return false;
    *line = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  return text.empty() && !to.iptables.empty();
}

docker_network_args read_docker_network_args() {
  docker_network_args args;
  const std::string text = read_system_file(script_args);
  if (!parse_docker_network_args(text, args)) return {};
  return args;
}

std::string set_up_docker_network(docker_network_args args, const std::string& address) {
  if (args.iptables.empty()) return {};
  args.address = address;
  if (address.empty()) args.snat = "0";
  end_watchers();
  if (args.snat == "1") {
    const unique_fd forward(::open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC));
    (void)!::write(forward.get(), "1\n", 2);
  }
  std::string printed;
  const int code = run_tool({"sh", script, "rules", args.iptables, args.snat, args.device, args.address, args.outside},
                            {}, 0, &printed);
  if (args.snat == "1")
    leave_tool({"sh", script, "watch", args.iptables, args.address, args.outside, args.networks, args.dockerd});
  if (code == 127) return "sh: cannot be run\n";
  return printed;
}

}  // namespace berth::guest

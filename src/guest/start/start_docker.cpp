// SPDX-License-Identifier: Apache-2.0
#include "start/start_docker.hpp"

#include "base/link.hpp"
#include "base/real_program.hpp"
#include "base/words.hpp"
#include "start/cgroups.hpp"
#include "start/firewall.hpp"
#include "start/leftovers.hpp"
#include "start/network.hpp"
#include "start/nested_runtime.hpp"
#include "start/say.hpp"
#include "runtime/runtime.hpp"

#include <berth/base/file.hpp>
#include <berth/base/text.hpp>
#include <berth/docker/start_arguments.hpp>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace berth::guest {
namespace {

constexpr int no_dockerd = 127, step_failed = 126, another_runs = 125;

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value != nullptr ? value : "";
  ::unsetenv(name);
  return text;
}

std::string find_program(const std::string& name) {
  if (name.find('/') == std::string::npos) return find_real_program(name);
  return ::access(name.c_str(), X_OK) == 0 ? name : std::string();
}

// Newer dockerds get ready without it, and then no container runs.
bool has_devices_cgroup() {
  const std::string mounts = read_system_file("/proc/mounts");
  std::string_view rest = mounts, line, device, at, type, options;
  while (next_line(rest, line)) {
    if (!next_word(line, device) || !next_word(line, at) || !next_word(line, type) || !next_word(line, options))
      continue;
    if (type == "cgroup2") return true;
    if (type == "cgroup" && ("," + std::string(options) + ",").find(",devices,") != std::string::npos) return true;
  }
  return false;
}

bool make_directory(const char* path) { return ::mkdir(path, 0755) == 0 || errno == EEXIST; }

bool is_directory(const char* path) {
  struct stat info {};
  return ::stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool are_same_file(const std::string& a, const std::string& b) {
  struct stat one {
  }, other{};
  return ::stat(a.c_str(), &one) == 0 && ::stat(b.c_str(), &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

bool link_into_path(const std::string& program, const char* name) {
  const std::string link = std::string(runtime_path) + "/" + name, beside = link + ".new";
  ::unlink(beside.c_str());
  return ::symlink(program.c_str(), beside.c_str()) == 0 && ::rename(beside.c_str(), link.c_str()) == 0;
}

// dockerd, its shims and BuildKit call `iptables`, which is the nft variant in most images.
bool put_legacy_iptables_first(const std::string& legacy) {
  if (are_same_file(find_real_program("iptables"), legacy)) return true;
  if (!link_into_path(legacy, "iptables")) return false;
  const std::string six = find_real_program("ip6tables-legacy");
  return six.empty() || link_into_path(six, "ip6tables");
}

// Rules and the follower come beside dockerd's own start, which takes many times as long. The process is forked twice, so that
// dockerd, which this one becomes, never sees a child that it did not start.
void set_up_network_beside(const docker_start_arguments& what, network_record record, const start_markers& tell) {
  const pid_t between = ::fork();
  if (between != 0) {
    while (between > 0 && ::waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
    }
    return;
  }
  if (::fork() != 0) ::_exit(0);
  bool whole = !what.snat || !record.rules.iptables.empty();
  if (!what.snat) {
    record.rules.address.clear();
  } else if (record.rules.device.empty() || record.rules.address.empty()) {
    tell.warn("no default route, so no way out for nested containers");
    record.rules.address.clear();
    whole = false;
  }
  if (const std::string failed = set_up_network(record); !failed.empty()) {
    tell.warn(failed);
    whole = false;
  }
  if (whole) tell.say("network");
  ::_exit(0);
}

std::vector<char*> c_strings(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

int start_docker(const std::vector<std::string>& args) {
  const start_markers tell(take_variable("BERTH_START_NONCE"));
  const auto lost = parse_number<pid_t>(take_variable("BERTH_LOST_DOCKERD"));
  const auto fail = [&tell](std::string_view why) {
    tell.say("failed", why);
    return step_failed;
  };
  auto parsed = parse_docker_start(args);
  if (!parsed) return fail(parsed.error().to_string());
  docker_start_arguments& what = *parsed;

  const std::string dockerd = find_program(what.dockerd.front());
  if (dockerd.empty()) {
    tell.say("missing");
    return no_dockerd;
  }
  // A program that is not dockerd may mount it itself.
  const bool is_dockerd = std::string_view(dockerd).substr(dockerd.rfind('/') + 1) == "dockerd";
  if (is_dockerd)
    if (const std::string failed = join_cgroups(); !failed.empty()) tell.warn(failed);
  if (is_dockerd && !has_devices_cgroup()) return fail("no cgroup file system with the devices controller is mounted");
  if (!(is_directory("/run") && is_directory("/var/run")) &&
      !(make_directory("/run") && make_directory("/var") && make_directory("/var/run")))
    return fail("cannot make /var/run");

  const std::string networks = what.data_root + "/network/files/local-kv.db";
  if (!clear_processes(lost ? *lost : 0, tell)) return another_runs;
  clear_bridges(networks, tell);

  if (!make_directory(runtime_directory) || !make_directory(runtime_path))
    return fail(std::string("cannot make ") + runtime_path);
  network_record record;
  record.networks = networks;
  record.dockerd = ::getpid();
  record.rules.device = what.device.empty() ? default_route_link() : what.device;
  record.rules.address =
      what.address.empty() && !record.rules.device.empty() ? address_of_link(record.rules.device) : what.address;
  for (std::string& name : link_names())
    if (name != "lo" && name != "docker0" && !name.starts_with("br-") && !name.starts_with("veth"))
      record.rules.outside.push_back(std::move(name));
  record.rules.iptables = find_legacy_iptables();
  if (record.rules.iptables.empty())
    tell.warn("no iptables-legacy: no way out for nested containers, and no names on user networks");
  else if (!put_legacy_iptables_first(record.rules.iptables)) return fail(std::string("cannot write ") + runtime_path);
  if (what.mtu) {
    const unsigned mtu = record.rules.device.empty() ? 0 : mtu_of_link(record.rules.device);
    if (mtu != 0) what.dockerd.insert(what.dockerd.begin() + 1, "--mtu=" + std::to_string(mtu));
    else if (what.snat) tell.warn("the MTU of the uplink is not known; downloads may be slow");
  }
  set_up_network_beside(what, record, tell);
  if (const std::string failed = put_runtime_in_place(what.before_runc, tell); !failed.empty()) return fail(failed);

  const char* path = std::getenv("PATH");
  ::setenv("PATH",
           (std::string(runtime_path) + ":" + (path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin")).c_str(), 1);
  tell.say("pid", std::to_string(::getpid()));
  what.dockerd.front() = dockerd;
  const std::vector<char*> argv = c_strings(what.dockerd);
  ::execv(dockerd.c_str(), argv.data());
  return fail("cannot execute " + dockerd + ": " + std::strerror(errno));
}

}  // namespace berth::guest

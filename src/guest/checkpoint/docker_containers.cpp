// SPDX-License-Identifier: Apache-2.0
#include "docker_containers.hpp"

#include "base/pause.hpp"
#include "base/processes.hpp"
#include "base/unix_socket.hpp"
#include "internet_sockets.hpp"

#include <berth/base/file.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <set>
#include <utility>

namespace berth::guest {
namespace {

constexpr const char* docker_socket = "/var/run/docker.sock";
constexpr std::size_t id_size = 64;
// By then something is wrong with dockerd.
constexpr std::chrono::seconds look_limit(3), stop_limit(stop_patience_s + 20);
using limit = std::chrono::steady_clock::time_point;

// A request to dockerd, under way.
class docker_request {
 public:
  docker_request(std::string_view method, const std::string& path) : server_(connect_to(docker_socket)) {
    const std::string text =
        std::string(method) + " " + path + " HTTP/1.0\r\nHost: docker\r\nContent-Length: 0\r\n\r\n";
    if (!server_ || ::fcntl(server_.get(), F_SETFL, 0) != 0 ||
        ::send(server_.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0)
      server_.reset();
  }
  /// All of it; what has come so far where the end does not.
  std::string answer(limit until) {
    std::string all;
    char piece[4096];
    while (server_ && all.size() < most_answer) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      pollfd ready{server_.get(), POLLIN, 0};
      if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) break;
      const ssize_t n = ::recv(server_.get(), piece, sizeof piece, 0);
      if (n <= 0) break;
      all.append(piece, static_cast<std::size_t>(n));
    }
    return all;
  }

 private:
  static constexpr std::size_t most_answer = 1u << 20;
  unique_fd server_;
};

bool has_status(std::string_view answer, std::string_view code) {
  return answer.starts_with("HTTP/1.") && answer.substr(std::min<std::size_t>(answer.size(), 9), 3) == code;
}

// In a process of its own: the answer takes as long as the container does.
pid_t tell_docker(const std::string& path) {
  if (const pid_t pid = ::fork(); pid != 0) return pid;
  // One that hangs up is not served to the end.
  (void)docker_request("POST", path).answer(std::chrono::steady_clock::now() + std::chrono::minutes(10));
  ::_exit(0);
}

}  // namespace

std::string container_of_cgroups(std::string_view text) {
  constexpr std::string_view mark = "/docker/";
  for (std::size_t at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + 1)) {
    const std::string_view id = text.substr(at + mark.size(), id_size);
    if (id.size() == id_size &&
        std::all_of(id.begin(), id.end(), [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }))
      return std::string(id);
  }
  return {};
}

std::vector<std::string> mark_cut_off_containers(docker_links& running, const std::vector<std::string>& before) {
  const limit until = std::chrono::steady_clock::now() + look_limit;
  std::set<std::string> with_sockets;
  for (const open_socket& one : open_internet_sockets()) with_sockets.insert(one.space);
  std::vector<std::string> all;
  for (container_links& one : running.containers) {
    const bool on_user_network = std::any_of(one.links.begin(), one.links.end(), [&](const link_state& link) {
      const link_state* bridge = bridge_of(running, link);
      return bridge != nullptr && bridge->name != "docker0";
    });
    const std::string id = container_of_cgroups(read_system_file("/proc/" + std::to_string(one.pid) + "/cgroup"));
    if (id.empty() || (!on_user_network && !with_sockets.contains(network_namespace_of(one.pid)) &&
                       std::find(before.begin(), before.end(), id) == before.end()))
      continue;
    one.cut_off = id;
    const std::string known = docker_request("GET", "/containers/" + id + "/json").answer(until);
    one.goes_when_stopped = !has_status(known, "200") || known.find("\"AutoRemove\":true") != std::string::npos;
    all.push_back(id);
  }
  return all;
}

std::vector<std::string> stop_cut_off_containers(const docker_links& running) {
  std::vector<std::pair<std::string, docker_request>> asked;
  for (const container_links& one : running.containers)
    if (!one.cut_off.empty() && !one.goes_when_stopped)
      asked.emplace_back(one.cut_off, docker_request("POST", "/containers/" + one.cut_off +
                                                                 "/stop?t=" + std::to_string(stop_patience_s)));
  std::vector<std::string> stopped;
  const limit until = std::chrono::steady_clock::now() + stop_limit;
  for (auto& [id, request] : asked)
    if (has_status(request.answer(until), "204")) stopped.push_back(id);
  return stopped;
}

std::vector<pid_t> begin_containers_again(const std::vector<std::string>& stopped, const docker_links& running) {
  std::vector<pid_t> beginning;
  for (const std::string& id : stopped) beginning.push_back(tell_docker("/containers/" + id + "/start"));
  for (const container_links& one : running.containers)
    if (!one.cut_off.empty())
      beginning.push_back(tell_docker("/containers/" + one.cut_off + "/restart?t=" + std::to_string(stop_patience_s)));
  return beginning;
}

void wait_for_containers(const std::vector<pid_t>& beginning) {
  constexpr int most_looks = 2'000, look_every_ms = 5;
  int looks = 0;
  for (const pid_t one : beginning)
    while (one > 0 && ::waitpid(one, nullptr, WNOHANG) == 0 && ++looks < most_looks) pause_for(look_every_ms);
}

}  // namespace berth::guest

// SPDX-License-Identifier: Apache-2.0
#include "docker_containers.hpp"

#include "base/processes.hpp"
#include "base/unix_socket.hpp"
#include "internet_sockets.hpp"

#include <berth/base/file.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

namespace berth::guest {
namespace {

constexpr const char* docker_socket = "/var/run/docker.sock";
constexpr std::size_t id_size = 64;
constexpr int answer_limit_s = stop_patience_s + 20;  // by then something is wrong with dockerd

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
  std::string answer() {
    std::string all;
    if (!server_) return all;
    const timeval limit{answer_limit_s, 0};
    ::setsockopt(server_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char piece[4096];
    for (ssize_t n; all.size() < most_answer && (n = ::recv(server_.get(), piece, sizeof piece, 0)) > 0;)
      all.append(piece, static_cast<std::size_t>(n));
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
void tell_docker(const std::string& path) {
  if (::fork() != 0) return;
  (void)docker_request("POST", path).answer();  // one that hangs up is not served to the end
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

void mark_cut_off_containers(docker_links& running) {
  std::set<std::string> with_sockets;
  for (const open_socket& one : open_internet_sockets()) with_sockets.insert(one.space);
  for (container_links& one : running.containers) {
    const std::string process = "/proc/" + std::to_string(one.pid);
    const bool on_user_network = std::any_of(one.links.begin(), one.links.end(), [&](const link_state& link) {
      const link_state* bridge = bridge_of(running, link);
      return bridge != nullptr && bridge->name != "docker0";
    });
    if (!on_user_network && !with_sockets.contains(network_namespace_of(one.pid))) continue;
    one.cut_off = container_of_cgroups(read_system_file(process + "/cgroup"));
    if (one.cut_off.empty()) continue;
    const std::string known = docker_request("GET", "/containers/" + one.cut_off + "/json").answer();
    one.goes_when_stopped = !has_status(known, "200") || known.find("\"AutoRemove\":true") != std::string::npos;
  }
}

std::vector<std::string> stop_cut_off_containers(const docker_links& running) {
  std::vector<std::pair<std::string, docker_request>> asked;
  for (const container_links& one : running.containers)
    if (!one.cut_off.empty() && !one.goes_when_stopped)
      asked.emplace_back(one.cut_off, docker_request("POST", "/containers/" + one.cut_off +
                                                                 "/stop?t=" + std::to_string(stop_patience_s)));
  std::vector<std::string> stopped;
  for (auto& [id, request] : asked)
    if (has_status(request.answer(), "204")) stopped.push_back(id);
  return stopped;
}

void begin_containers_again(const std::vector<std::string>& stopped, const docker_links& running) {
  for (const std::string& id : stopped) tell_docker("/containers/" + id + "/start");
  for (const container_links& one : running.containers)
    if (!one.cut_off.empty())
      tell_docker("/containers/" + one.cut_off + "/restart?t=" + std::to_string(stop_patience_s));
}

}  // namespace berth::guest

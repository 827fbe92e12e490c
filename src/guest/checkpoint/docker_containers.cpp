// SPDX-License-Identifier: Apache-2.0
#include "docker_containers.hpp"

#include "base/processes.hpp"
#include "base/unix_socket.hpp"
#include "internet_sockets.hpp"

#include <berth/base/file.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace berth::guest {
namespace {

constexpr const char* docker_socket = "/var/run/docker.sock";
constexpr std::size_t id_size = 64;

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
  }
}

void restart_cut_off_containers(const docker_links& before, int patience) {
  for (const container_links& one : before.containers) {
    const std::string& id = one.cut_off;
    if (id.empty() || ::fork() != 0) continue;
    const unique_fd server = connect_to(docker_socket);
    const std::string request = "POST /containers/" + id + "/restart?t=" + std::to_string(patience) +
                                " HTTP/1.0\r\nHost: docker\r\nContent-Length: 0\r\n\r\n";
    if (server && ::fcntl(server.get(), F_SETFL, 0) == 0 &&
        ::send(server.get(), request.data(), request.size(), MSG_NOSIGNAL) > 0) {
      char answer[512];
      while (::recv(server.get(), answer, sizeof answer, 0) > 0) {
      }  // one that hangs up is not served to the end
    }
    ::_exit(0);
  }
}

}  // namespace berth::guest

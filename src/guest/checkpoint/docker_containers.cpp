// SPDX-License-Identifier: Apache-2.0
#include "docker_containers.hpp"

#include "base/unix_socket.hpp"
#include "base/words.hpp"

#include <berth/base/file.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <memory>
#include <set>

namespace berth::guest {
namespace {

constexpr const char* docker_socket = "/var/run/docker.sock";
constexpr std::size_t id_size = 64;

std::string link_text(const std::string& path) {
  char text[256];
  const ssize_t n = ::readlink(path.c_str(), text, sizeof text);
  return n > 0 ? std::string(text, static_cast<std::size_t>(n)) : std::string();
}

std::vector<std::string> entries(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), &::closedir);
  while (const dirent* entry = dir ? ::readdir(dir.get()) : nullptr) names.emplace_back(entry->d_name);
  return names;
}

// Of all network namespaces: gVisor's tables do not tell them apart (release-20260905.0).
std::set<std::string> internet_sockets() {
  std::set<std::string> all;
  for (const char* table : {"tcp", "tcp6", "udp", "udp6"})
    for (std::string& inode : inodes_of_sockets(read_system_file(std::string("/proc/self/net/") + table)))
      all.insert(std::move(inode));
  return all;
}

// The network namespaces of processes that have one of the sockets open.
std::set<std::string> namespaces_with(const std::set<std::string>& sockets) {
  std::set<std::string> found;
  for (const std::string& pid : entries("/proc")) {
    if (std::atoi(pid.c_str()) <= 0) continue;
    const std::string space = link_text("/proc/" + pid + "/ns/net");
    if (space.empty() || found.contains(space)) continue;
    for (const std::string& fd : entries("/proc/" + pid + "/fd")) {
      const std::string open = link_text("/proc/" + pid + "/fd/" + fd);
      constexpr std::string_view mark = "socket:[";
      if (!open.starts_with(mark) || !sockets.contains(open.substr(mark.size(), open.size() - mark.size() - 1)))
        continue;
      found.insert(space);
      break;
    }
  }
  return found;
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

std::vector<std::string> inodes_of_sockets(std::string_view table) {
  std::vector<std::string> inodes;
  std::string_view line, word;
  (void)next_line(table, line);  // the head
  while (next_line(table, line)) {
    int column = 0;
    while (column < 10 && next_word(line, word)) ++column;
    if (column == 10) inodes.emplace_back(word);
  }
  return inodes;
}

void mark_cut_off_containers(docker_links& running) {
  const std::set<std::string> open = namespaces_with(internet_sockets());
  for (container_links& one : running.containers) {
    const std::string process = "/proc/" + std::to_string(one.pid);
    const bool on_user_network = std::any_of(one.links.begin(), one.links.end(), [&](const link_state& link) {
      const link_state* bridge = bridge_of(running, link);
      return bridge != nullptr && bridge->name != "docker0";
    });
    if (!on_user_network && !open.contains(link_text(process + "/ns/net"))) continue;
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

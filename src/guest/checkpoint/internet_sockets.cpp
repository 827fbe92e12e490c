// SPDX-License-Identifier: Apache-2.0
#include "internet_sockets.hpp"

#include "base/processes.hpp"
#include "base/words.hpp"

#include <berth/base/file.hpp>

#include <dirent.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>

namespace berth::guest {
namespace {

constexpr std::string_view resolver_address = "0B00007F";  // 127.0.0.11, as the tables have it

unsigned hexadecimal(std::string_view text) {
  return static_cast<unsigned>(std::strtoul(std::string(text).c_str(), nullptr, 16));
}

// gVisor's tables do not tell network namespaces apart (release-20260905.0), so that anybody's are all.
std::map<std::string, internet_socket> sockets_by_inode() {
  std::map<std::string, internet_socket> all;
  for (const char* table : {"tcp", "tcp6", "udp", "udp6"}) {
    const std::string text = read_system_file(std::string("/proc/self/net/") + table);
    for (internet_socket& one : parse_socket_table(text, table[0] == 't')) all[one.inode] = std::move(one);
  }
  return all;
}

std::vector<std::string> inodes_of_process(pid_t pid) {
  constexpr std::string_view mark = "socket:[";
  std::vector<std::string> inodes;
  const std::string path = "/proc/" + std::to_string(pid) + "/fd";
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    char text[64];
    const ssize_t n = ::readlink((path + "/" + entry->d_name).c_str(), text, sizeof text);
    const std::string_view open(text, n > 0 ? static_cast<std::size_t>(n) : 0);
    if (open.starts_with(mark)) inodes.emplace_back(open.substr(mark.size(), open.size() - mark.size() - 1));
  }
  return inodes;
}

bool is_connected(const internet_socket& one) {
  switch (one.state) {
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT1:
    case TCP_FIN_WAIT2:
    case TCP_TIME_WAIT:
    case TCP_CLOSE_WAIT:
    case TCP_LAST_ACK:
    case TCP_CLOSING: return true;
    default: return false;
  }
}

// Connecting, or bound to a port and no more.
bool is_on_its_way(const internet_socket& one) {
  return one.state == TCP_SYN_SENT || one.state == TCP_SYN_RECV || (one.state == TCP_CLOSE && one.port != 0);
}

}  // namespace

std::vector<internet_socket> parse_socket_table(std::string_view table, bool tcp) {
  std::vector<internet_socket> all;
  std::string_view line, word;
  (void)next_line(table, line);  // the head
  while (next_line(table, line)) {
    internet_socket one;
    one.tcp = tcp;
    int column = 0;
    while (column < 10 && next_word(line, word)) {
      if (column == 1) {
        const std::size_t colon = std::min(word.find(':'), word.size());
        one.of_resolver = word.substr(0, colon) == resolver_address;
        one.port = hexadecimal(word.substr(std::min(colon + 1, word.size())));
      }
      if (column == 3) one.state = hexadecimal(word);
      ++column;
    }
    if (column != 10) continue;
    one.inode = word;
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<open_socket> open_internet_sockets() {
  std::vector<open_socket> all;
  const std::map<std::string, internet_socket> known = sockets_by_inode();
  for (const pid_t pid : processes()) {
    const std::string space = network_namespace_of(pid);
    if (space.empty()) continue;
    for (const std::string& inode : inodes_of_process(pid))
      if (const auto at = known.find(inode); at != known.end()) all.push_back({pid, space, at->second});
  }
  return all;
}

const open_socket* keeps_restore_waiting(const std::vector<open_socket>& all, std::string_view own, bool unseen) {
  bool connection = unseen, listener = false;
  for (const open_socket& one : all) {
    if (!one.socket.tcp || (one.space == own && !one.socket.of_resolver)) continue;
    connection = connection || is_connected(one.socket);
    listener = listener || one.socket.state == TCP_LISTEN || is_on_its_way(one.socket);
  }
  const auto waits = [&](const open_socket& one) {
    if (!one.socket.tcp || one.space != own || one.socket.of_resolver) return false;
    return (one.socket.state == TCP_LISTEN && connection) || (is_on_its_way(one.socket) && (connection || listener));
  };
  const auto at = std::find_if(all.begin(), all.end(), waits);
  return at == all.end() ? nullptr : &*at;
}

std::string what_keeps_restore_waiting(const docker_links& running, bool for_good, bool ports_before) {
  const std::string own = network_namespace_of(::getpid());
  std::set<std::string> stay;  // network namespaces of containers that are not stopped
  for (const container_links& one : running.containers)
    if (one.cut_off.empty() || one.goes_when_stopped) stay.insert(network_namespace_of(one.pid));
  std::vector<open_socket> all = open_internet_sockets();
  std::erase_if(all, [&](const open_socket& one) {
    if (one.space != own) return !stay.contains(one.space);
    // One that berth's keeper ends.
    return name_of_process(one.pid) == "docker-proxy" && runs_this_program(parent_of(one.pid));
  });
  const open_socket* const one = keeps_restore_waiting(all, own, for_good && !stay.empty());
  if (one != nullptr)
    return name_of_process(one->pid) + " (process " + std::to_string(one->pid) + ") serves TCP port " +
           std::to_string(one->socket.port) +
           " in the sandbox itself, beside containers that may have connections: gVisor would wait for these without end "
           "when it restores it";
  if (for_good && ports_before && !stay.empty())
    return "it has been saved before with published ports, and containers run that may have connections: gVisor might wait for "
           "these without end when it restores it";
  return {};
}

}  // namespace berth::guest

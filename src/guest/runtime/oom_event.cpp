// SPDX-License-Identifier: Apache-2.0
#include "oom_event.hpp"

#include "base/pause.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace berth::guest {
namespace {

constexpr int events_patience_ms = 5000;

// A field of protobuf's wire type 2: number, length, bytes.
std::string field(unsigned number, std::string_view bytes) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  std::size_t length = bytes.size();
  for (; length >= 0x80; length >>= 7) out += static_cast<char>((length & 0x7f) | 0x80);
  out += static_cast<char>(length);
  return out.append(bytes);
}

bool ends_well(pid_t pid) {
  for (int waited = 0; waited < events_patience_ms; waited += 5) {
    int status = 0;
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (ended < 0 && errno != EINTR) return false;
    pause_for(5);
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  return false;
}

}  // namespace

shim_arguments read_shim_arguments(std::string_view command_line) {
  shim_arguments out;
  const std::string_view program = command_line.substr(0, command_line.find('\0'));
  if (program.substr(program.rfind('/') + 1).substr(0, 15) != "containerd-shim") return out;
  std::string_view flag;
  while (!command_line.empty()) {
    const std::string_view word = command_line.substr(0, command_line.find('\0'));
    command_line.remove_prefix(std::min(command_line.size(), word.size() + 1));
    if (flag == "-namespace") out.name_space = word;
    if (flag == "-address") out.address = word;
    flag = word;
  }
  return out;
}

std::string encode_oom_event(std::string_view container) {
  return field(1, "containerd.events.TaskOOM") + field(2, field(1, container));
}

bool publish_oom_event(const shim_arguments& shim, std::string_view container) {
  if (shim.address.empty()) return false;
  const auto event = memory_file("oom-event", encode_oom_event(container), "runtime");
  if (!event) return false;
  const pid_t pid = ::fork();
  if (pid < 0) return false;
  if (pid == 0) {
    if (::dup2(event->get(), 0) == 0)
      ::execlp("containerd", "containerd", "--address", shim.address.c_str(), "publish", "--topic", "/tasks/oom",
               "--namespace", shim.name_space.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  return ends_well(pid);
}

}  // namespace berth::guest

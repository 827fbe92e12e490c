// SPDX-License-Identifier: Apache-2.0
#include "daemon_log.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace berth::guest {

void write_to_daemon_log(const std::string& line) {
  const pid_t dockerd = read_pid_file("/run/docker.pid");
  if (dockerd <= 0) return;
  const unique_fd log(::open(("/proc/" + std::to_string(dockerd) + "/fd/2").c_str(),
                             O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  const std::string text = "berth: " + line + "\n";
  if (log) (void)!::write(log.get(), text.data(), text.size());
}

}  // namespace berth::guest

// SPDX-License-Identifier: Apache-2.0
#include "callers.hpp"

#include "base/event_loop.hpp"
#include "base/pause.hpp"
#include "base/unix_socket.hpp"
#include "docker/relay.hpp"

#include <berth/readiness/guarded_socket.hpp>
#include <berth/sandbox/hibernation.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <string>
#include <utility>

namespace berth::guest {
namespace {

constexpr int look_every_ms = 10, most_looks = 1'000;  // until Docker's socket is back

ino_t inode_of(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

}  // namespace

docker_callers::docker_callers(const sandbox_record& record) {
  const hibernation saved(record);
  if (!saved.has_docker()) return;
  // By the directory's descriptor: the path may be longer than a socket's address.
  const unique_fd shared(::open(record.shared().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!shared) return;
  const std::string& path = saved.docker_socket();
  listener_ = listen_at("/proc/self/fd/" + std::to_string(shared.get()) + path.substr(path.rfind('/')), 0660);
  place_ = inode_of(path);
}

bool docker_callers::have_called() const {
  pollfd now{listener_.get(), POLLIN, 0};
  return listener_ && ::poll(&now, 1, 0) > 0;
}

void docker_callers::connect(const sandbox_record& record) {
  const std::string docker = hibernation(record).docker_socket();
  const auto connect = [&]() -> unique_fd {
    if (inode_of(docker) == place_) return {};  // this one still, and nobody else's
    auto made = connect_guarded(docker);
    return made ? std::move(*made) : unique_fd();
  };
  for (int looks = 0; looks < most_looks && !connect(); ++looks) pause_for(look_every_ms);
  event_loop loop;
  if (!loop) return;
  relay between(loop, {}, connect);
  between.accept_from(listener_.get());
  listener_.reset();
  while (between.has_clients()) loop.step(true);
}

}  // namespace berth::guest

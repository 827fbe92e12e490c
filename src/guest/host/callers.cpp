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

constexpr int look_every_ms = 10, most_looks = 6'000;  // until Docker's socket is back
constexpr int most_rounds = 8;                         // of callers, by 32: the queue has 128

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
  const auto is_back = [&] {
    const ino_t now = inode_of(docker);
    return now != 0 && now != place_;  // not this one, but somebody else's
  };
  const auto connect = [&]() -> unique_fd {
    if (!is_back()) return {};
    auto made = connect_guarded(docker);
    return made ? std::move(*made) : unique_fd();
  };
  for (int looks = 0; looks < most_looks && record.process_alive(); ++looks, pause_for(look_every_ms))
    if (have_called() ? static_cast<bool>(connect()) : is_back()) break;
  if (!have_called()) return;
  event_loop loop;
  if (!loop) return;
  relay between(loop, {}, connect);
  for (int round = 0; round < most_rounds && have_called(); ++round) between.accept_from(listener_.get());
  listener_.reset();
  while (between.has_clients()) loop.step(true);
}

}  // namespace berth::guest

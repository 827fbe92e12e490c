// SPDX-License-Identifier: Apache-2.0
#include "retreat.hpp"

#include "base/complain.hpp"
#include "machine_id.hpp"
#include "restored_hosts.hpp"

#include <berth/base/file.hpp>

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <utility>

namespace berth::guest {
namespace {

constexpr long look_every_ns = 2'000'000;
// For a host that was killed before it began a checkpoint: 10 s. By looks and not by the clock, which jumps in a sandbox that
// was restored, where the first looks may miss the file (release-20260701.0).
constexpr int most_looks = 5'000;

}  // namespace

retreat::retreat(event_loop& loop, std::string directory, docker_checkpoint* docker, handler over)
    : loop_(loop),
      wake_(std::move(directory) + "/" + std::string(guest_wake_name)),
      over_(std::move(over)),
      docker_(docker),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  utsname names{};
  if (::uname(&names) == 0) hostname_ = names.nodename;
  if (docker_ != nullptr) docker_->cut_links();
  itimerspec often{};
  often.it_value.tv_nsec = often.it_interval.tv_nsec = look_every_ns;
  ::timerfd_settime(timer_.get(), 0, &often, nullptr);
  loop_.watch(timer_.get(), EPOLLIN, [this](std::uint32_t) { look(); });
}

retreat::~retreat() {
  if (timer_) loop_.forget(timer_.get());
}

void retreat::look() {
  std::uint64_t ticks;
  (void)!::read(timer_.get(), &ticks, sizeof ticks);
  if (::access(wake_.c_str(), F_OK) != 0) {
    if (++looks_ >= most_looks) end({});
    return;
  }
  const auto text = read_file(wake_, 64 * 1024, "guest");
  auto wake = text ? decode_guest<guest_wake>(*text) : result<guest_wake>(text.error());
  if (!wake) complain(wake.error().to_string());
  end(wake ? *wake : guest_wake());
}

void retreat::end(const guest_wake& wake) {
  loop_.forget(timer_.get());
  timer_.reset();
  if (wake.restored) {
    rename_host(hostname_, wake.address, wake.hostname);
    if (!wake.same) renew_machine_id();
  }
  if (docker_ != nullptr) docker_->come_back(wake);
  const auto over = std::move(over_);
  over(wake);
  ::unlink(wake_.c_str());  // the host sees by it that we were on our way
}

}  // namespace berth::guest

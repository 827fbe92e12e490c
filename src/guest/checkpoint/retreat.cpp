// SPDX-License-Identifier: Apache-2.0
#include "retreat.hpp"

#include "base/complain.hpp"
#include "docker_containers.hpp"
#include "machine_id.hpp"
#include "published_ports.hpp"
#include "restored_hosts.hpp"
#include "start/network.hpp"

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

retreat::retreat(event_loop& loop, std::string directory, bool docker, std::vector<std::string> stopped,
                 const std::vector<std::string>& cut_off, handler over)
    : loop_(loop),
      wake_(std::move(directory) + "/" + std::string(guest_wake_name)),
      over_(std::move(over)),
      docker_(docker),
      stopped_(std::move(stopped)),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  utsname names{};
  if (::uname(&names) == 0) hostname_ = names.nodename;
  if (docker_) {
    links_ = read_docker_links();
    network_ = read_network_record();
    (void)mark_cut_off_containers(links_, cut_off);
    if (const std::string failed = cut_docker_links(links_); !failed.empty())
      complain("Docker's links cannot be removed: " + failed);
  }
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
  if (docker_) {
    std::string failed = make_docker_links(links_, network_.rules.address);
    // A copy starts without rules, and has an address of its own.
    if (wake.restored && !network_.rules.iptables.empty()) {
      if (!network_.rules.address.empty()) network_.rules.address = wake.address;
      failed += set_up_network(network_);
    }
    if (!failed.empty()) complain("Docker's network is not as it was: " + failed);
    take_up_published_ports();
  }
  // In the sandbox that goes on, too: gVisor freezes sockets to save them, and sees to the root namespace's only afterwards
  // (Kernel.SaveTo, release-20260905.0).
  std::vector<pid_t> beginning = begin_containers_again(stopped_, links_);
  const auto over = std::move(over_);
  over(wake, std::move(beginning));
  ::unlink(wake_.c_str());  // the host sees by it that we were on our way
}

}  // namespace berth::guest

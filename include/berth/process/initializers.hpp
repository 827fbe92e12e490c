// SPDX-License-Identifier: Apache-2.0
// What Boost.Process has no initializers for. They are initializers in its sense, and so work with its launchers too.
#pragma once

#include <berth/process/child.hpp>
#include <berth/process/detail/launch.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/system_category.hpp>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>
#include <vector>

namespace berth::initializer {

/// Which process group and session the child is in.
struct process_group {
  enum kind {
    own,      ///< it leads a process group of its own, so that it can be signalled whole
    session,  ///< it leads a session, and a group, of its own
    callers,
  };
  kind which = own;

  BERTH_IN_CHILD boost::system::error_code on_exec_setup(auto&, const auto&, const char* const*) const {
    long failed = 0;
    if (which == session) failed = ::syscall(SYS_setsid);
    if (which == own) failed = ::syscall(SYS_setpgid, 0, 0);
    return {failed < 0 ? errno : 0, boost::system::system_category()};
  }
};

/// The signal is sent to the child when the *thread* that started it ends (prctl(2)).
class parent_death_signal {
 public:
  explicit parent_death_signal(int signo) : signo_(signo), parent_(::getpid()) {}

  BERTH_IN_CHILD boost::system::error_code on_exec_setup(auto&, const auto&, const char* const*) const {
    int failed = ::syscall(SYS_prctl, PR_SET_PDEATHSIG, signo_, 0, 0, 0) != 0 ? errno : 0;
    // It may have died before the request; then nobody is left to be told. 0: it is in another pid namespace.
    const long parent = ::syscall(SYS_getppid);
    if (failed == 0 && parent != parent_ && parent != 0) failed = ESRCH;
    return {failed, boost::system::system_category()};
  }

 private:
  int signo_;
  long parent_;
};

/// All that the child gets, under the numbers given, in any permutation; 0, 1 and 2 are /dev/null where not named.
class descriptors {
 public:
  explicit descriptors(std::vector<fd_mapping> fds) : fds_(std::move(fds)) {}

  boost::system::error_code on_setup(auto& launcher, const auto&, const char* const*) {
    const auto named = [this](int target) {
      return std::any_of(fds_.begin(), fds_.end(), [&](const fd_mapping& m) { return m.target == target; });
    };
    for (int standard = 0; standard <= 2; ++standard) {
      if (named(standard)) continue;
      if (!null_device_) null_device_.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
      if (!null_device_) return {errno, boost::system::system_category()};
      fds_.push_back({null_device_.get(), standard});
    }
    std::sort(fds_.begin(), fds_.end(), [](const fd_mapping& a, const fd_mapping& b) { return a.target < b.target; });
    launcher.fd_whitelist.clear();
    for (std::size_t i = 0; i < fds_.size(); ++i) {
      if (fds_[i].source < 0 || fds_[i].target < 0 || (i > 0 && fds_[i].target == fds_[i - 1].target)) {
        return {EINVAL, boost::system::system_category()};
      }
      launcher.fd_whitelist.push_back(fds_[i].target);
      sources_.push_back(fds_[i].source);
    }
    return {};
  }

  BERTH_IN_CHILD boost::system::error_code on_exec_setup(auto&, const auto&, const char* const*) {
    const fd_mapping* const fds = fds_.data();
    int* const sources = sources_.data();
    const std::size_t count = sources_.size();
    const int last = fds[count - 1].target;
    const int free_from = last == INT_MAX ? INT_MAX : last + 1;
    // Sources that lie where a target will be are moved out of the way first, so that any permutation works.
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t k = 0; k < count; ++k) {
        if (k == i || fds[k].target != fds[i].source) continue;
        const long moved = ::syscall(SYS_fcntl, fds[i].source, F_DUPFD_CLOEXEC, free_from);
        if (moved < 0) return {errno, boost::system::system_category()};
        sources[i] = static_cast<int>(moved);
        break;
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      const bool there = sources[i] == fds[i].target;
      const long failed =
          there ? ::syscall(SYS_fcntl, sources[i], F_SETFD, 0) : ::syscall(SYS_dup3, sources[i], fds[i].target, 0);
      if (failed < 0) return {errno, boost::system::system_category()};
    }
    return {};
  }

 private:
  std::vector<fd_mapping> fds_;  // sorted by target, once set up
  std::vector<int> sources_;     // where each source is now
  unique_fd null_device_;
};

}  // namespace berth::initializer

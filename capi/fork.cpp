// SPDX-License-Identifier: Apache-2.0
#include "detail/fork.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>

namespace berth::capi {

// The page, or this marker where the kernel would not mark one: then getpid is asked each time.
static std::atomic<std::atomic<pid_t>*> fork_page{nullptr};
static std::atomic<pid_t> fork_no_page{-1};

static std::atomic<pid_t>* make_fork_page() noexcept {
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  std::atomic<pid_t>* made = &fork_no_page;
  if (page != MAP_FAILED) {
    if (::madvise(page, 4096, MADV_WIPEONFORK) == 0) {
      made = static_cast<std::atomic<pid_t>*>(page);  // an atomic int is its zero bytes
    } else {
      ::munmap(page, 4096);
    }
  }
  std::atomic<pid_t>* expected = nullptr;
  if (fork_page.compare_exchange_strong(expected, made, std::memory_order_acq_rel)) return made;
  if (made != &fork_no_page) ::munmap(page, 4096);
  return expected;
}

pid_t this_process() noexcept {
  std::atomic<pid_t>* page = fork_page.load(std::memory_order_acquire);
  if (page == nullptr) page = make_fork_page();
  if (page == &fork_no_page) return ::getpid();
  pid_t pid = page->load(std::memory_order_relaxed);
  if (pid == 0) {
    pid = ::getpid();
    page->store(pid, std::memory_order_relaxed);
  }
  return pid;
}

}  // namespace berth::capi

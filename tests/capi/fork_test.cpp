// SPDX-License-Identifier: Apache-2.0
// Called in the child after fork.
#include "bad_use.hpp"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace capi_test {

// A process may only fork while its other threads hold no lock of the allocator: glibc sees to that for its own, g++ 12's
// AddressSanitizer does not, and a child would wait for such a lock for ever. So the test forks once they all sleep and
// have not been woken for 20 ms.
static void wait_until_other_threads_sleep() {
  const auto switches = [] {
    std::string all;
    bool asleep = true;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      if (task.path().filename() == std::to_string(gettid())) continue;
      std::ifstream status(task.path() / "status");
      for (std::string line; std::getline(status, line);) {
        if (line.starts_with("State:")) asleep = asleep && line.find("S (sleeping)") != std::string::npos;
        if (line.find("ctxt_switches") != std::string::npos) all += line + '\n';
      }
    }
    return asleep ? all : std::string();
  };
  std::string before;
  for (int i = 0; i < 500; ++i) {
    std::string now = switches();
    if (!now.empty() && now == before) return;
    before = std::move(now);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  FAIL() << "the loop's thread was still busy after 10 s:\n" << before;
}

// In the child after fork the loop's thread does not exist: calls say so instead of waiting for it for ever.
TEST(bad_use, called_after_fork) {
  Loop loop;
  Executor host, own;
  ASSERT_EQ(berth_executor_create_host(loop.get(), host.slot(), nullptr), BERTH_OK);
  ASSERT_EQ(berth_executor_create(loop.get(), 0, own.slot(), nullptr), BERTH_OK);
  const std::uint64_t running = start_poll(loop.get());
  berth_spec* spec = make_spec();
  ASSERT_NO_FATAL_FAILURE(wait_until_other_threads_sleep());
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    int wrong = 0;
    const auto want = [&wrong](bool right) { wrong += right ? 0 : 1; };
    alarm(60);
    berth_error* error = nullptr;
    std::uint64_t op = 1;
    const std::string_view ls = R"({"argv":["ls"]})";
    want(berth_exec_start(host.get(), ls.data(), ls.size(), nullptr, &op, &error) == BERTH_E_FORKED);
    want(berth_error_code(error) == BERTH_E_FORKED && std::string_view(berth_error_hint(error)).find("spawn") != 0 &&
         *berth_error_hint(error) != 0);
    berth_error_free(error);
    want(op == 0);
    want(berth_poll_start(loop.get(), nullptr, endless_poll.data(), endless_poll.size(), nullptr, &op, nullptr) ==
         BERTH_E_FORKED);
    want(berth_op_cancel(loop.get(), running, nullptr) == BERTH_E_FORKED);
    berth_event event{};
    std::size_t n = 0;
    want(berth_loop_poll(loop.get(), &event, 1, &n, nullptr) == BERTH_E_FORKED);
    want(berth_loop_wait(loop.get(), &event, 1, &n, -1, nullptr) == BERTH_E_FORKED);
    want(berth_loop_close(loop.get(), nullptr) == BERTH_E_FORKED);
    want(berth_executor_started(own.get(), 1, 1, nullptr) == BERTH_E_FORKED);
    berth_executor* more = nullptr;
    want(berth_executor_create_host(loop.get(), &more, nullptr) == BERTH_E_FORKED && more == nullptr);
    // What has no thread works on.
    want(berth_spec_set_cwd(spec, "/child", 6, nullptr) == BERTH_OK);
    berth_spec_free(spec);
    own.free();
    host.free();
    loop.free();
    want(berth_op_cancel(loop.get(), running, nullptr) == BERTH_E_CLOSED);
#if !defined(__SANITIZE_THREAD__)  // ThreadSanitizer cannot start threads in such a child; all other builds do this
    // A loop of the child's own is as good as any.
    berth_loop* fresh = nullptr;
    want(berth_loop_create(nullptr, &fresh, nullptr) == BERTH_OK);
    op = 0;
    want(berth_poll_start(fresh, nullptr, endless_poll.data(), endless_poll.size(), nullptr, &op, nullptr) == BERTH_OK);
    want(berth_op_cancel(fresh, op, nullptr) == BERTH_OK);
    want(berth_loop_wait(fresh, &event, 1, &n, 30000, nullptr) == BERTH_OK && n == 1 &&
         event.status == BERTH_E_CANCELLED);
    berth_event_clear(&event);
    berth_loop_free(fresh);
#endif
    _exit(wrong);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 0) << "calls that answered wrongly in the child";
  // The parent's loop saw nothing of it.
  berth_op_cancel(loop.get(), running, nullptr);
  EXPECT_EQ(loop.done(running).status, BERTH_E_CANCELLED);
  EXPECT_EQ(berth_spec_set_cwd(spec, "/parent", 7, nullptr), BERTH_OK);
  berth_spec_free(spec);
}

// A loop that has ended, and was not freed yet: there is nothing to wait for in the child, nor in the parent.
TEST(bad_use, freed_after_fork_of_a_closed_loop) {
  Loop loop;
  Executor host;
  ASSERT_EQ(berth_executor_create_host(loop.get(), host.slot(), nullptr), BERTH_OK);
  ASSERT_EQ(berth_loop_close(loop.get(), nullptr), BERTH_OK);
  ASSERT_EQ(loop.next().kind, static_cast<std::uint32_t>(BERTH_EVENT_CLOSED));
  for (const bool loop_first : {true, false}) {
    // Time for the thread to let go of what it holds.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(60);
      if (loop_first) loop.free();
      host.free();
      loop.free();
      // Not by _exit, where ThreadSanitizer complains of a thread that nobody joined: here there is none to be joined.
      syscall(SYS_exit_group, 0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
}

}  // namespace capi_test

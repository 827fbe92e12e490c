// SPDX-License-Identifier: Apache-2.0
// The loop: events, waiting, cancelling, deadlines, closing.
#include "support.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

namespace capi_test {

// A poll of a socket that is not there: an operation that lasts until it is ended.
static std::uint64_t endless(Loop& loop, const berth_op_options* how = nullptr) {
  Error error;
  std::uint64_t op = 0;
  const std::string_view options = R"({"probe":{"type":"connect","unix":"/nonexistent/berth.sock"}})";
  EXPECT_EQ(berth_poll_start(loop.get(), nullptr, options.data(), options.size(), how, &op, error.slot()), BERTH_OK)
      << error.text();
  EXPECT_NE(op, 0u);
  return op;
}

static bool readable(int fd) {
  pollfd p{fd, POLLIN, 0};
  return poll(&p, 1, 0) == 1;
}

TEST(loop, starts_and_ends) {
  for (int i = 0; i < 20; ++i) Loop loop;
}

TEST(loop, descriptor_is_nonblocking_and_cloexec) {
  Loop loop;
  std::int32_t fd = -1;
  ASSERT_EQ(berth_loop_fd(loop.get(), &fd, nullptr), BERTH_OK);
  ASSERT_GE(fd, 0);
  EXPECT_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
  EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  EXPECT_FALSE(readable(fd));
}

TEST(loop, all_descriptors_are_cloexec) {
  std::set<int> before;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    before.insert(std::stoi(entry.path().filename()));
  }
  Loop loop;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename());
    if (before.count(fd) != 0) continue;
    const int flags = fcntl(fd, F_GETFD);
    if (flags < 0) continue;  // the directory's own, closed by now
    std::error_code ec;
    EXPECT_TRUE(flags & FD_CLOEXEC) << fd << " " << std::filesystem::read_symlink(entry.path(), ec);
  }
}

// The host program's handlers never run on the loop's thread.
TEST(loop, thread_blocks_all_signals) {
  Loop loop;
  bool found = false;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream comm(task.path() / "comm");
    std::string name;
    std::getline(comm, name);
    if (name != "berth-loop") continue;
    found = true;
    std::ifstream status(task.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (line.rfind("SigBlk:", 0) == 0) {
        // All but KILL, STOP and the two that the C library keeps for itself.
        const std::uint64_t blocked = std::stoull(line.substr(7), nullptr, 16);
        EXPECT_EQ(blocked | 1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1) | 3ull << 31, ~0ull) << line;
      }
    }
  }
  EXPECT_TRUE(found);
}

TEST(loop, callers_signal_mask_stays) {
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  Loop loop;
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int i = 1; i < 65; ++i) EXPECT_EQ(sigismember(&before, i), sigismember(&after, i)) << i;
}

TEST(loop, cancel_is_idempotent_and_gives_one_event) {
  Loop loop;
  const auto how = op_options(77);
  const std::uint64_t op = endless(loop, &how);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(berth_op_cancel(loop.get(), op, nullptr), BERTH_OK);
  const Event e = loop.done(op);
  EXPECT_EQ(e.status, BERTH_E_CANCELLED);
  EXPECT_EQ(e.user_data, 77u);
  EXPECT_FALSE(e.error.empty());
  EXPECT_NE(e.payload.find("\"status\":\"cancelled\""), std::string::npos) << e.payload;
  EXPECT_EQ(berth_op_cancel(loop.get(), op, nullptr), BERTH_OK) << "ended already";
  EXPECT_EQ(berth_op_cancel(loop.get(), 0, nullptr), BERTH_OK);
  EXPECT_EQ(berth_op_cancel(loop.get(), UINT64_MAX, nullptr), BERTH_OK);
  berth_event raw{};
  std::size_t n = 7;
  EXPECT_EQ(berth_loop_wait(loop.get(), &raw, 1, &n, 50, nullptr), BERTH_OK);
  EXPECT_EQ(n, 0u);
}

TEST(loop, deadline) {
  Loop loop;
  const auto soon = op_options(1, ns_from_now(30));
  const std::uint64_t began = berth_now_ns();
  const Event e = loop.done(endless(loop, &soon));
  EXPECT_EQ(e.status, BERTH_E_TIMEOUT) << e.error;
  EXPECT_GE(berth_now_ns() - began, 25000000u);
  const auto past = op_options(2, 1);
  EXPECT_EQ(loop.done(endless(loop, &past)).status, BERTH_E_TIMEOUT);
  const auto never = op_options(3, UINT64_MAX);
  const std::uint64_t op = endless(loop, &never);
  berth_op_cancel(loop.get(), op, nullptr);
  EXPECT_EQ(loop.done(op).status, BERTH_E_CANCELLED);
}

TEST(loop, op_ids_are_never_used_twice) {
  Loop a, b;
  std::uint64_t last = 0;
  for (int i = 0; i < 10; ++i) {
    for (Loop* loop : {&a, &b}) {
      const std::uint64_t op = endless(*loop);
      EXPECT_GT(op, last);
      last = op;
    }
  }
}

TEST(loop, descriptor_is_readable_while_events_wait) {
  Loop loop;
  std::int32_t fd = -1;
  ASSERT_EQ(berth_loop_fd(loop.get(), &fd, nullptr), BERTH_OK);
  std::uint64_t ops[3];
  for (auto& op : ops) op = endless(loop);
  for (auto op : ops) berth_op_cancel(loop.get(), op, nullptr);
  std::size_t seen = 0;
  while (seen < 3) {
    pollfd p{fd, POLLIN, 0};
    ASSERT_EQ(poll(&p, 1, 60000), 1);
    berth_event raw{};
    std::size_t n = 0;
    // As a caller that reads the descriptor and takes one event at a time: what is left makes it readable again.
    std::uint64_t count = 0;
    EXPECT_EQ(read(fd, &count, 8), 8);
    ASSERT_EQ(berth_loop_poll(loop.get(), &raw, 1, &n, nullptr), BERTH_OK);
    seen += n;
    if (n != 0) copy_event(raw);
  }
  EXPECT_FALSE(readable(fd));
}

TEST(loop, wait_times_out) {
  Loop loop;
  berth_event raw{};
  std::size_t n = 5;
  EXPECT_EQ(berth_loop_wait(loop.get(), &raw, 1, &n, 0, nullptr), BERTH_OK);
  EXPECT_EQ(n, 0u);
  const std::uint64_t began = berth_now_ns();
  EXPECT_EQ(berth_loop_wait(loop.get(), &raw, 1, &n, 30, nullptr), BERTH_OK);
  EXPECT_EQ(n, 0u);
  EXPECT_GE(berth_now_ns() - began, 29000000u);
}

TEST(loop, close_cancels_all_and_says_so_last) {
  berth_loop_options options;
  berth_loop_options_init(&options, sizeof options);
  options.user_data = 4711;
  Loop loop(&options);
  std::vector<std::uint64_t> ops;
  for (int i = 0; i < 50; ++i) ops.push_back(endless(loop));
  Error error;
  EXPECT_EQ(berth_loop_close(loop.get(), error.slot()), BERTH_OK);
  EXPECT_EQ(berth_loop_close(loop.get(), error.slot()), BERTH_OK);
  std::uint64_t op = 9;
  const std::string_view probe = R"({"probe":{"type":"connect","unix":"/x"}})";
  EXPECT_EQ(berth_poll_start(loop.get(), nullptr, probe.data(), probe.size(), nullptr, &op, error.slot()),
            BERTH_E_CLOSED);
  EXPECT_EQ(op, 0u);
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const Event e = loop.next();
    EXPECT_EQ(e.kind, static_cast<std::uint32_t>(BERTH_EVENT_DONE));
    EXPECT_TRUE(e.status == BERTH_E_CANCELLED || e.status == BERTH_E_CLOSED) << e.error;
  }
  const Event last = loop.next();
  EXPECT_EQ(last.kind, static_cast<std::uint32_t>(BERTH_EVENT_CLOSED));
  EXPECT_EQ(last.user_data, 4711u);
  berth_event raw{};
  std::size_t n = 1;
  EXPECT_EQ(berth_loop_poll(loop.get(), &raw, 1, &n, error.slot()), BERTH_E_CLOSED);
  EXPECT_EQ(n, 0u);
}

TEST(loop, many_operations_at_once) {
  Loop loop;
  constexpr int count = 2000;
  std::map<std::uint64_t, int> open;
  for (int i = 0; i < count; ++i) {
    const auto how = op_options(static_cast<std::uint64_t>(i), ns_from_now(static_cast<std::uint64_t>(20 + i % 50)));
    open[endless(loop, &how)] = i;
  }
  for (int i = 0; i < count; ++i) {
    const Event e = loop.next();
    ASSERT_EQ(e.kind, static_cast<std::uint32_t>(BERTH_EVENT_DONE));
    const auto found = open.find(e.op);
    ASSERT_NE(found, open.end());
    EXPECT_EQ(e.user_data, static_cast<std::uint64_t>(found->second));
    EXPECT_EQ(e.status, BERTH_E_TIMEOUT);
    open.erase(found);
  }
  EXPECT_TRUE(open.empty());
}

// The rule of clone3 for structures.
TEST(loop, structure_sizes) {
  Loop loop;
  Error error;
  const std::string_view probe = R"({"probe":{"type":"connect","unix":"/x"}})";
  struct larger {
    berth_op_options known;
    std::uint64_t more;
  } big{};
  const auto start = [&](const void* options) {
    std::uint64_t op = 0;
    const berth_status status = berth_poll_start(loop.get(), nullptr, probe.data(), probe.size(),
                                                 static_cast<const berth_op_options*>(options), &op, error.slot());
    EXPECT_EQ(op != 0, status == BERTH_OK);
    if (op != 0) {
      berth_op_cancel(loop.get(), op, nullptr);
      loop.done(op);
    }
    return status;
  };
  big.known.struct_size = sizeof big;
  EXPECT_EQ(start(&big), BERTH_OK);
  big.more = 1;
  EXPECT_EQ(start(&big), BERTH_E_TOO_BIG);
  big.known.struct_size = sizeof big.known;
  EXPECT_EQ(start(&big), BERTH_OK);
  big.known.struct_size = 4;
  big.known.flags = 1;
  EXPECT_EQ(start(&big), BERTH_OK) << "an older, smaller structure: what follows is not looked at";
  big.known.struct_size = sizeof big.known;
  EXPECT_EQ(start(&big), BERTH_E_TOO_BIG) << "an unknown flag";
  big.known.flags = 0;
  big.known.reserved[2] = 1;
  EXPECT_EQ(start(&big), BERTH_E_TOO_BIG);
  big.known.reserved[2] = 0;
  for (std::uint32_t size : {0u, 1u, 3u}) {
    big.known.struct_size = size;
    EXPECT_EQ(start(&big), BERTH_E_INVALID) << size;
  }
  big.known.struct_size = UINT32_MAX;
  EXPECT_EQ(start(&big), BERTH_E_TOO_BIG);

  berth_loop_options options;
  berth_loop_options_init(&options, sizeof options);
  EXPECT_EQ(options.struct_size, sizeof options);
  options.log_level = 9;
  berth_loop* none = loop.get();
  EXPECT_EQ(berth_loop_create(&options, &none, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(none, nullptr);
  berth_loop_options_init(nullptr, 64);
  options.log_level = 3;
  berth_loop_options_init(&options, 2);
  EXPECT_EQ(options.log_level, 3);
}

}  // namespace capi_test

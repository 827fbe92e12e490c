// Bad use: freed twice, used after it was freed, freed while waiting, cancelled twice, called after fork, from many threads,
// with NULL and wrong sizes. Each is answered by an error or does nothing. Run under ASan, UBSan and TSan as well.
#define BERTH_UNSTABLE
#include "support.hpp"

#include <berth_unstable.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <random>
#include <thread>

namespace capi_test {

static constexpr std::string_view tiny_spec = R"({"ociVersion":"1.1.0","process":{"cwd":"/","args":["x"]}})";
static constexpr std::string_view endless_poll = R"({"probe":{"type":"connect","unix":"/nonexistent/berth.sock"}})";

static std::uint64_t live_handles() {
  std::uint64_t all = 0;
  for (const char* kind : {"error", "buffer", "spec", "runsc", "argv", "loop", "executor", "daemon", "sandbox"}) {
    all += berth_unstable_live_handles(kind);
  }
  return all;
}

static berth_spec* make_spec() {
  berth_spec* spec = nullptr;
  EXPECT_EQ(berth_spec_parse(tiny_spec.data(), tiny_spec.size(), &spec, nullptr), BERTH_OK);
  return spec;
}

static berth_loop* make_loop() {
  berth_loop* loop = nullptr;
  EXPECT_EQ(berth_loop_create(nullptr, &loop, nullptr), BERTH_OK);
  return loop;
}

static std::uint64_t start_poll(berth_loop* loop) {
  std::uint64_t op = 0;
  berth_poll_start(loop, nullptr, endless_poll.data(), endless_poll.size(), nullptr, &op, nullptr);
  return op;
}

TEST(bad_use, freed_twice) {
  const std::uint64_t before = live_handles();
  berth_spec* spec = make_spec();
  berth_spec_free(spec);
  berth_spec_free(spec);

  berth_error* error = nullptr;
  EXPECT_LT(berth_spec_parse("x", 1, &spec, &error), 0);
  ASSERT_NE(error, nullptr);
  berth_error_free(error);
  berth_error_free(error);
  EXPECT_STREQ(berth_error_message(error), "");
  EXPECT_STREQ(berth_error_to_string(error), "");
  EXPECT_EQ(berth_error_code(error), BERTH_OK);

  spec = make_spec();
  berth_buffer* json = nullptr;
  ASSERT_EQ(berth_spec_to_json(spec, &json, nullptr), BERTH_OK);
  berth_spec_free(spec);
  berth_buffer_free(json);
  berth_buffer_free(json);
  EXPECT_EQ(berth_buffer_size(json), 0u);
  EXPECT_STREQ(berth_buffer_data(json), "");

  berth_loop* loop = make_loop();
  berth_executor* host = nullptr;
  ASSERT_EQ(berth_executor_create_host(loop, &host, nullptr), BERTH_OK);
  berth_executor_free(host);
  berth_executor_free(host);
  berth_loop_free(loop);
  berth_loop_free(loop);

  berth_event event{};
  berth_event_clear(&event);
  berth_event_clear(&event);
  berth_event_clear(nullptr);
  EXPECT_EQ(live_handles(), before);
}

// A freed handle's place is used again, and still the old handle does not reach the new object.
TEST(bad_use, used_after_free) {
  Error error;
  berth_spec* old = make_spec();
  berth_spec_free(old);
  std::vector<berth_spec*> more;
  for (int i = 0; i < 100; ++i) more.push_back(make_spec());
  EXPECT_EQ(berth_spec_set_cwd(old, "/x", 2, error.slot()), BERTH_E_CLOSED);
  EXPECT_EQ(error.code(), BERTH_E_CLOSED);
  EXPECT_NE(error.message().find("spec"), std::string::npos);
  berth_buffer* out = nullptr;
  EXPECT_EQ(berth_spec_to_json(old, &out, error.slot()), BERTH_E_CLOSED);
  EXPECT_EQ(out, nullptr);
  EXPECT_EQ(berth_spec_diff(old, more[0], &out, error.slot()), BERTH_E_CLOSED);
  berth_spec_free(old);
  for (berth_spec* spec : more) {
    EXPECT_EQ(berth_spec_to_json(spec, &out, error.slot()), BERTH_OK);
    EXPECT_EQ(take(out), tiny_spec);
    berth_spec_free(spec);
  }

  berth_loop* loop = make_loop();
  berth_executor* host = nullptr;
  ASSERT_EQ(berth_executor_create_host(loop, &host, nullptr), BERTH_OK);
  berth_loop_free(loop);
  std::uint64_t op = 1;
  const std::string_view ls = R"({"argv":["ls"]})";
  EXPECT_EQ(berth_exec_start(host, ls.data(), ls.size(), nullptr, &op, error.slot()), BERTH_E_CLOSED);
  EXPECT_EQ(op, 0u);
  EXPECT_EQ(berth_op_cancel(loop, 1, error.slot()), BERTH_E_CLOSED);
  EXPECT_EQ(berth_loop_close(loop, error.slot()), BERTH_E_CLOSED);
  std::int32_t fd = 7;
  EXPECT_EQ(berth_loop_fd(loop, &fd, error.slot()), BERTH_E_CLOSED);
  EXPECT_EQ(fd, -1);
  berth_event event{};
  std::size_t n = 1;
  EXPECT_EQ(berth_loop_poll(loop, &event, 1, &n, error.slot()), BERTH_E_CLOSED);
  EXPECT_EQ(berth_loop_wait(loop, &event, 1, &n, -1, error.slot()), BERTH_E_CLOSED);
  berth_executor_free(host);  // after its loop
}

// Handles of one kind where another is wanted, numbers that were never handles, addresses.
TEST(bad_use, not_a_handle) {
  Error error;
  berth_loop* loop = make_loop();
  berth_spec* spec = make_spec();
  berth_buffer* out = nullptr;
  EXPECT_EQ(berth_spec_to_json(reinterpret_cast<berth_spec*>(loop), &out, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_loop_close(reinterpret_cast<berth_loop*>(spec), error.slot()), BERTH_E_INVALID);
  int here = 0;
  std::mt19937_64 random(1);
  for (int i = 0; i < 10000; ++i) {
    std::uintptr_t bits = random();
    if (i == 0) bits = reinterpret_cast<std::uintptr_t>(&here);
    if (i == 1) bits = 1;
    if (i == 2) bits = UINTPTR_MAX;
    if (i > 5000) bits = reinterpret_cast<std::uintptr_t>(spec) + 256 * (bits & 0xffff) + 256;  // slots near a real one
    auto* p = reinterpret_cast<berth_spec*>(bits);
    EXPECT_LT(berth_spec_to_json(p, &out, nullptr), 0);
    berth_spec_free(p);
    berth_loop_free(reinterpret_cast<berth_loop*>(bits));
    berth_error_free(reinterpret_cast<berth_error*>(bits));
    EXPECT_EQ(berth_argv_count(reinterpret_cast<berth_argv*>(bits)), 0u);
    EXPECT_EQ(berth_argv_peek(reinterpret_cast<berth_argv*>(bits), 0), nullptr);
  }
  EXPECT_EQ(berth_spec_to_json(spec, &out, error.slot()), BERTH_OK) << "the real one is as it was";
  berth_buffer_free(out);
  berth_spec_free(spec);
  berth_loop_free(loop);
}

TEST(bad_use, null_arguments) {
  Error error;
  berth_spec* spec = make_spec();
  Loop loop;
  Executor host;
  ASSERT_EQ(berth_executor_create_host(loop.get(), host.slot(), nullptr), BERTH_OK);
  std::uint64_t op = 0;
  std::size_t n = 0;
  berth_event event{};
  berth_buffer* out = nullptr;
  berth_spec* none = spec;
  EXPECT_EQ(berth_spec_parse(nullptr, 10, &none, error.slot()), BERTH_E_INVALID) << "NULL with a length";
  EXPECT_EQ(none, nullptr);
  EXPECT_EQ(berth_spec_parse("{}", SIZE_MAX, nullptr, nullptr), BERTH_E_INVALID);
  EXPECT_EQ(berth_spec_parse("{}", SIZE_MAX, &none, error.slot()), BERTH_E_TOO_BIG) << "a negative length";
  EXPECT_EQ(berth_spec_parse(tiny_spec.data(), tiny_spec.size(), nullptr, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_spec_to_json(nullptr, &out, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_spec_to_json(spec, nullptr, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_spec_to_json(spec, nullptr, nullptr), BERTH_E_INVALID);
  EXPECT_EQ(berth_spec_diff(nullptr, nullptr, &out, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_spec_merge(spec, nullptr, 0, error.slot()), BERTH_E_SPEC_SYNTAX);
  EXPECT_EQ(berth_loop_create(nullptr, nullptr, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_loop_poll(loop.get(), nullptr, 1, &n, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_loop_poll(loop.get(), &event, 0, &n, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_loop_poll(loop.get(), &event, 1, nullptr, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_loop_fd(loop.get(), nullptr, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_exec_start(host.get(), "{}", 2, nullptr, nullptr, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_exec_start(nullptr, "{}", 2, nullptr, &op, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_executor_create(nullptr, 0, host.slot(), error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_runsc_probe(nullptr, 3, nullptr, 0, nullptr, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_op_cancel(nullptr, 1, nullptr), BERTH_E_INVALID);
  EXPECT_STREQ(berth_error_message(nullptr), "");
  EXPECT_EQ(berth_error_code(nullptr), BERTH_OK);
  EXPECT_EQ(berth_buffer_size(nullptr), 0u);
  berth_spec_free(nullptr);
  berth_error_free(nullptr);
  berth_buffer_free(nullptr);
  berth_loop_free(nullptr);
  berth_executor_free(nullptr);
  berth_daemon_free(nullptr);
  berth_sandbox_free(nullptr);
  berth_runsc_free(nullptr);
  berth_argv_free(nullptr);
  berth_spec_free(spec);
}

// Another thread waits while the loop is freed.
TEST(bad_use, freed_while_waiting) {
  for (int round = 0; round < 20; ++round) {
    berth_loop* loop = make_loop();
    std::vector<std::thread> waiters;
    std::atomic<int> closed{0};
    for (int i = 0; i < 4; ++i) {
      waiters.emplace_back([loop, &closed] {
        for (;;) {
          berth_event event{};
          std::size_t n = 0;
          const berth_status status = berth_loop_wait(loop, &event, 1, &n, -1, nullptr);
          if (n == 1) berth_event_clear(&event);
          if (status != BERTH_OK) {
            EXPECT_EQ(status, BERTH_E_CLOSED);
            ++closed;
            return;
          }
        }
      });
    }
    for (int i = 0; i < round; ++i) start_poll(loop);
    if (round % 2 != 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    berth_loop_free(loop);
    for (auto& w : waiters) w.join();
    EXPECT_EQ(closed, 4);
  }
}

// One spec used by many threads at once, and freed by them too: errors, but no more.
TEST(bad_use, one_spec_from_many_threads) {
  const std::uint64_t before = berth_unstable_live_handles("spec");
  for (int round = 0; round < 20; ++round) {
    berth_spec* spec = make_spec();
    std::vector<std::thread> threads;
    std::atomic<int> done{0}, refused{0};
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 200; ++i) {
          const std::string value = std::to_string(i);
          const berth_status status = berth_spec_set_env(spec, "A", 1, value.data(), value.size(), nullptr);
          EXPECT_TRUE(status == BERTH_OK || status == BERTH_E_STATE || status == BERTH_E_CLOSED) << status;
          ++(status == BERTH_OK ? done : refused);
          berth_buffer* out = nullptr;
          if (berth_spec_to_json(spec, &out, nullptr) == BERTH_OK) berth_buffer_free(out);
          if (i == 150 && t % 2 == 0) berth_spec_free(spec);
        }
      });
    }
    for (auto& t : threads) t.join();
    EXPECT_GT(done, 0);
    berth_spec_free(spec);
  }
  EXPECT_EQ(berth_unstable_live_handles("spec"), before);
}

// A loop used by many threads, closed and freed by two of them in the middle.
TEST(bad_use, one_loop_from_many_threads) {
  const std::uint64_t before = live_handles();
  for (int round = 0; round < 10; ++round) {
    berth_loop* loop = make_loop();
    berth_executor* host = nullptr;
    ASSERT_EQ(berth_executor_create_host(loop, &host, nullptr), BERTH_OK);
    std::vector<std::thread> threads;
    for (int t = 0; t < 6; ++t) {
      threads.emplace_back([&, t] {
        std::vector<std::uint64_t> ops;
        for (int i = 0; i < 60; ++i) {
          const std::uint64_t op = start_poll(loop);
          ops.push_back(op);
          berth_op_cancel(loop, ops[static_cast<std::size_t>(i / 2)], nullptr);
          if (i % 20 == 0) {
            std::uint64_t run = 0;
            const std::string_view command = R"({"argv":["true"]})";
            berth_exec_start(host, command.data(), command.size(), nullptr, &run, nullptr);
            std::uint64_t write = 0;
            berth_exec_write(loop, run, "x", 1, nullptr, &write, nullptr);
          }
          std::array<berth_event, 8> events{};
          std::size_t n = 0;
          berth_loop_poll(loop, events.data(), events.size(), &n, nullptr);
          for (auto& e : events) berth_event_clear(&e);
          if (i == 40 && t == 0) berth_loop_close(loop, nullptr);
          if (i == 45 && t == 1) berth_executor_free(host);
          if (i == 50 && t == 2) berth_loop_free(loop);
          if (i == 50 && t == 3) berth_loop_free(loop);
        }
      });
    }
    for (auto& t : threads) t.join();
  }
  EXPECT_EQ(live_handles(), before);
}

TEST(bad_use, handles_from_many_threads) {
  const std::uint64_t before = live_handles();
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([] {
      std::vector<berth_spec*> mine;
      for (int i = 0; i < 2000; ++i) {
        mine.push_back(make_spec());
        if (mine.size() > 50) {
          berth_spec_free(mine.front());
          berth_spec_free(mine.front());
          EXPECT_EQ(berth_spec_set_cwd(mine.front(), "/", 1, nullptr), BERTH_E_CLOSED);
          mine.erase(mine.begin());
        }
      }
      for (berth_spec* s : mine) {
        EXPECT_EQ(berth_spec_set_cwd(s, "/y", 2, nullptr), BERTH_OK);
        berth_spec_free(s);
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(live_handles(), before);
}

// In the child after fork the loop's thread does not exist: calls say so instead of waiting for it for ever.
TEST(bad_use, called_after_fork) {
  Loop loop;
  Executor host, own;
  ASSERT_EQ(berth_executor_create_host(loop.get(), host.slot(), nullptr), BERTH_OK);
  ASSERT_EQ(berth_executor_create(loop.get(), 0, own.slot(), nullptr), BERTH_OK);
  const std::uint64_t running = start_poll(loop.get());
  berth_spec* spec = make_spec();
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

// Nothing is left when a loop goes with everything in flight: no descriptor, no thread, no handle.
TEST(bad_use, freed_in_full_flight) {
  const auto count = [](const char* dir) {
    std::size_t n = 0;
    for (const auto& entry : std::filesystem::directory_iterator(dir)) (void)entry, ++n;
    return n;
  };
  const std::uint64_t handles = live_handles();
  { Loop warm; }
  const std::size_t fds = count("/proc/self/fd");
  const std::size_t tasks = count("/proc/self/task");
  for (int round = 0; round < 5; ++round) {
    Loop loop;
    Executor host, own;
    ASSERT_EQ(berth_executor_create_host(loop.get(), host.slot(), nullptr), BERTH_OK);
    ASSERT_EQ(berth_executor_create(loop.get(), 0, own.slot(), nullptr), BERTH_OK);
    for (int i = 0; i < 10; ++i) {
      start_poll(loop.get());
      std::uint64_t write = 0;
      const std::uint64_t op = exec(host.get(), R"({"argv":["sleep","600"],"stdin":"pipe"})");
      const std::string much(1 << 20, 'x');
      berth_exec_write(loop.get(), op, much.data(), much.size(), nullptr, &write, nullptr);
      exec(host.get(), R"({"argv":["cat","/dev/zero"]})");
      exec(own.get(), R"({"argv":["x"]})");
    }
    if (round % 2 != 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(count("/proc/self/fd"), fds);
  // A thread that was joined is listed for another moment: pthread_join waits for the kernel's clearing of its id, which
  // comes before its unlinking.
  for (int i = 0; i < 500 && count("/proc/self/task") != tasks; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(count("/proc/self/task"), tasks);
  EXPECT_EQ(live_handles(), handles);
}

}  // namespace capi_test

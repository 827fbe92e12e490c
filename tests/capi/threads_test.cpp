// SPDX-License-Identifier: Apache-2.0
// The same handles used and freed by many threads.
#include "bad_use.hpp"

#include <poll.h>

#include <array>
#include <atomic>
#include <thread>

namespace capi_test {

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

// Each of several waiting threads hears of the end of a loop that is closed, though one of them takes the last event.
TEST(bad_use, closed_while_several_wait) {
  for (int round = 0; round < 50; ++round) {
    berth_loop* loop = make_loop();
    std::vector<std::thread> waiters;
    std::atomic<int> waiting{0}, last{0};
    for (int i = 0; i < 4; ++i) {
      waiters.emplace_back([&] {
        ++waiting;
        for (;;) {
          berth_event event{};
          std::size_t n = 0;
          const berth_status status = berth_loop_wait(loop, &event, 1, &n, -1, nullptr);
          if (n == 1 && event.kind == BERTH_EVENT_CLOSED) ++last;
          if (n == 1) berth_event_clear(&event);
          if (status == BERTH_OK) continue;
          EXPECT_EQ(status, BERTH_E_CLOSED);
          return;
        }
      });
    }
    while (waiting < 4) std::this_thread::yield();
    if (round % 2 != 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_EQ(berth_loop_close(loop, nullptr), BERTH_OK);
    for (auto& w : waiters) w.join();
    EXPECT_EQ(last, 1);
    std::int32_t fd = -1;
    ASSERT_EQ(berth_loop_fd(loop, &fd, nullptr), BERTH_OK);
    pollfd readable{fd, POLLIN, 0};
    EXPECT_EQ(::poll(&readable, 1, 0), 0) << "nothing waits any more";
    berth_loop_free(loop);
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

}  // namespace capi_test

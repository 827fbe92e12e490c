// SPDX-License-Identifier: Apache-2.0
// Freed twice, used after it was freed, cancelled twice, with NULL and wrong sizes, freed in full flight.
#include "bad_use.hpp"

#include <unistd.h>

#include <filesystem>
#include <random>
#include <thread>

namespace capi_test {

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
  for (int i = 0; i < 500 && count("/proc/self/task") > tasks; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_LE(count("/proc/self/task"), tasks);  // one of an earlier test may have been listed still
  EXPECT_EQ(live_handles(), handles);
}

}  // namespace capi_test

// SPDX-License-Identifier: Apache-2.0
// What the tests of the C ABI share. Nothing here but berth.h: the library is used as a caller's program uses it.
#pragma once

#include <berth.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace capi_test {

/// An error slot that frees what it gets.
class Error {
 public:
  Error() = default;
  Error(const Error&) = delete;
  Error& operator=(const Error&) = delete;
  ~Error() { berth_error_free(error_); }
  berth_error** slot() {
    berth_error_free(error_);
    error_ = nullptr;
    return &error_;
  }
  berth_status code() const { return berth_error_code(error_); }
  std::string text() const { return berth_error_to_string(error_); }
  std::string message() const { return berth_error_message(error_); }
  std::string path() const { return berth_error_path(error_); }
  std::string hint() const { return berth_error_hint(error_); }
  berth_error* get() const { return error_; }

 private:
  berth_error* error_ = nullptr;
};

inline std::string take(berth_buffer* buffer) {
  std::string out(berth_buffer_data(buffer), berth_buffer_size(buffer));
  berth_buffer_free(buffer);
  return out;
}

/// A handle that is freed with its scope.
template <class T, void (*Free)(T*)>
class Handle {
 public:
  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { Free(handle_); }
  T** slot() { return &handle_; }
  T* get() const { return handle_; }
  void free() { Free(std::exchange(handle_, nullptr)); }

 private:
  T* handle_ = nullptr;
};
using Spec = Handle<berth_spec, berth_spec_free>;
using Runsc = Handle<berth_runsc, berth_runsc_free>;
using Argv = Handle<berth_argv, berth_argv_free>;
using Executor = Handle<berth_executor, berth_executor_free>;

/// One event with what it owned, copied out.
struct Event {
  std::uint32_t kind = 0;
  std::uint64_t op = 0;
  std::uint64_t user_data = 0;
  berth_status status = 0;
  std::int32_t code = 0;
  std::string payload;
  std::string error;
  std::string detail;
};

inline Event copy_event(berth_event& raw) {
  EXPECT_EQ(raw.size, sizeof(berth_event));
  EXPECT_EQ(raw.reserved, 0u);
  Event e;
  e.kind = raw.kind;
  e.op = raw.op;
  e.user_data = raw.user_data;
  e.status = raw.status;
  e.code = raw.code;
  auto* payload = static_cast<berth_buffer*>(raw.payload);
  e.payload.assign(berth_buffer_data(payload), berth_buffer_size(payload));
  if (raw.err != nullptr) {
    e.error = berth_error_to_string(raw.err);
    e.detail = berth_error_detail(raw.err);
    EXPECT_EQ(berth_error_code(raw.err), raw.status);
  }
  berth_event_clear(&raw);
  EXPECT_EQ(raw.payload, nullptr);
  return e;
}

/// A loop and the events that came out of it.
class Loop {
 public:
  explicit Loop(const berth_loop_options* options = nullptr) {
    Error error;
    EXPECT_EQ(berth_loop_create(options, &loop_, error.slot()), BERTH_OK) << error.text();
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() { berth_loop_free(loop_); }
  berth_loop* get() const { return loop_; }
  void free() { berth_loop_free(loop_); }

  /// The next event; kind 0 when none came within a minute.
  Event next() {
    berth_event raw{};
    std::size_t n = 0;
    Error error;
    const berth_status status = berth_loop_wait(loop_, &raw, 1, &n, 60000, error.slot());
    EXPECT_EQ(status, BERTH_OK) << error.text();
    if (status != BERTH_OK || n == 0) return {};
    return copy_event(raw);
  }

  /// Collects events until the operation is done, which it may be already.
  Event done(std::uint64_t op) {
    for (const Event& seen : others) {
      if (seen.kind == BERTH_EVENT_DONE && seen.op == op) return seen;
    }
    for (;;) {
      Event e = next();
      if (e.kind == BERTH_EVENT_NONE) {
        ADD_FAILURE() << "no BERTH_EVENT_DONE for op " << op;
        return e;
      }
      if (e.kind == BERTH_EVENT_DONE && e.op == op) return e;
      if (e.kind == BERTH_EVENT_OUTPUT) output[e.op][e.code] += e.payload;
      others.push_back(std::move(e));
    }
  }

  std::map<std::uint64_t, std::map<int, std::string>> output;  // op → stream → bytes
  std::vector<Event> others;                                   // all but the DONE events that were waited for

 private:
  berth_loop* loop_ = nullptr;
};

inline std::uint64_t ns_from_now(std::uint64_t milliseconds) { return berth_now_ns() + milliseconds * 1000000; }

inline berth_op_options op_options(std::uint64_t user_data, std::uint64_t deadline_ns = 0) {
  berth_op_options o;
  berth_op_options_init(&o, sizeof o);
  o.user_data = user_data;
  o.deadline_ns = deadline_ns;
  return o;
}

/// Starts a command on a host executor; 0 and a failed test when it could not be started.
inline std::uint64_t exec(berth_executor* where, std::string_view options, const berth_op_options* how = nullptr) {
  Error error;
  std::uint64_t op = 0;
  EXPECT_EQ(berth_exec_start(where, options.data(), options.size(), how, &op, error.slot()), BERTH_OK) << error.text();
  return op;
}

}  // namespace capi_test

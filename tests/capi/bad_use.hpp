// SPDX-License-Identifier: Apache-2.0
// Bad use of the C ABI is answered by an error or does nothing. Run under ASan, UBSan and TSan as well.
#pragma once

#define BERTH_UNSTABLE
#include "support.hpp"

#include <berth_unstable.h>

#include <string_view>

namespace capi_test {

inline constexpr std::string_view tiny_spec = R"({"ociVersion":"1.1.0","process":{"cwd":"/","args":["x"]}})";
// Asks once, and then sleeps for longer than any test takes.
inline constexpr std::string_view endless_poll =
    R"({"probe":{"type":"connect","unix":"/nonexistent/berth.sock"},"schedule":{"first_ms":600000,"max_ms":600000}})";

inline std::uint64_t live_handles() {
  std::uint64_t all = 0;
  for (const char* kind : {"error", "buffer", "spec", "runsc", "argv", "loop", "executor", "daemon", "sandbox"}) {
    all += berth_unstable_live_handles(kind);
  }
  return all;
}

inline berth_spec* make_spec() {
  berth_spec* spec = nullptr;
  EXPECT_EQ(berth_spec_parse(tiny_spec.data(), tiny_spec.size(), &spec, nullptr), BERTH_OK);
  return spec;
}

inline berth_loop* make_loop() {
  berth_loop* loop = nullptr;
  EXPECT_EQ(berth_loop_create(nullptr, &loop, nullptr), BERTH_OK);
  return loop;
}

inline std::uint64_t start_poll(berth_loop* loop) {
  std::uint64_t op = 0;
  berth_poll_start(loop, nullptr, endless_poll.data(), endless_poll.size(), nullptr, &op, nullptr);
  return op;
}

}  // namespace capi_test

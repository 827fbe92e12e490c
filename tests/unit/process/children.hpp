// SPDX-License-Identifier: Apache-2.0
// Child processes of the tests, and what became of them.
#pragma once

#include <berth/process/pidfd.hpp>
#include <berth/process/process.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gtest/gtest.h>

#include <poll.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {

inline spawn_options shell(const std::string& script, std::vector<std::string> more = {}) {
  spawn_options o;
  o.argv = {"/bin/sh", "-c", script, "sh"};
  o.argv.insert(o.argv.end(), more.begin(), more.end());
  o.env = minimal_environment();
  return o;
}

inline stdio_options text_input(std::string text) {
  stdio_options io;
  io.in = stdio_options::input::text;
  io.in_text = std::move(text);
  return io;
}

/// "Z" for a zombie and so on; nothing when there is no such process.
inline std::string process_state(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::stringstream all;
  all << file.rdbuf();
  const std::string s = all.str();
  const auto paren = s.rfind(')');
  return paren == std::string::npos ? "" : s.substr(paren + 2, 1);
}

/// Whatever it does at the moment: running, asleep, or reading its program from the disk.
inline bool lives(pid_t pid) {
  const std::string state = process_state(pid);
  return !state.empty() && state != "Z" && state != "X";
}

/// A process that was sent SIGKILL is gone soon, but not at once; and it is not ours to reap.
inline bool dies(pid_t pid) {
  for (int i = 0; i < 6000; ++i) {
    const auto state = process_state(pid);
    if (state.empty() || state == "Z") return true;
    ::usleep(5000);
  }
  return false;
}

inline exit_status reap(const child& c) {
  pollfd p{c.pidfd.get(), POLLIN, 0};
  while (::poll(&p, 1, -1) < 0) {
  }
  auto r = child_status(c.pidfd.get(), reap_mode::take);
  EXPECT_TRUE(r && *r);
  return r && *r ? **r : exit_status{-1, 0};
}

inline boost::asio::awaitable<void> sleep_for(duration d) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, d);
  co_await timer.async_wait(boost::asio::use_awaitable);
}

/// Waits for something that is bound to happen; the generous limit only keeps a defect from hanging the suite.
template <class Condition>
boost::asio::awaitable<bool> eventually(Condition condition) {
  for (int i = 0; i < 6000; ++i) {
    if (condition()) co_return true;
    co_await sleep_for(milliseconds(5));
  }
  co_return false;
}

}  // namespace berth::test

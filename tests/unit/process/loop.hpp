// SPDX-License-Identifier: Apache-2.0
// Runs a coroutine to its end on a loop of its own.
#pragma once

#include <berth/base/result.hpp>
#include <berth/process/cancellation.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <dirent.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace berth::test {

template <class T>
T run_on(boost::asio::io_context& loop, boost::asio::awaitable<T> work) {
  std::optional<T> got;
  std::exception_ptr thrown;
  boost::asio::co_spawn(loop, std::move(work), [&](std::exception_ptr e, T value) {
    thrown = e;
    if (!e) got.emplace(std::move(value));
    loop.stop();
  });
  loop.restart();
  loop.run();
  if (thrown) std::rethrow_exception(thrown);
  return std::move(*got);
}

template <class T>
T run(boost::asio::awaitable<T> work) {
  boost::asio::io_context loop(1);
  return run_on(loop, std::move(work));
}

/// What `step` gives to a coroutine that was cancelled before it, when nothing waited that could be aborted; errc::timeout where it
/// waits still after 20 s.
template <class T>
result<T> run_after_cancellation(boost::asio::io_context& loop,
                                 std::function<boost::asio::awaitable<result<T>>()> step) {
  boost::asio::cancellation_signal signal;
  std::optional<result<T>> got;
  const auto work = [&]() -> boost::asio::awaitable<result<T>> {
    co_await boost::asio::post(loop, boost::asio::use_awaitable);
    signal.emit(boost::asio::cancellation_type::terminal);
    auto stepping = step();
    co_return co_await std::move(stepping);
  };
  boost::asio::co_spawn(
      loop, cancellation_as_error(work()),
      boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr thrown, result<T> outcome) {
        if (!thrown) got.emplace(std::move(outcome));
        loop.stop();
      }));
  loop.restart();
  loop.run_for(std::chrono::seconds(20));
  if (!got) return make_error(errc::timeout, "test", "it waits still");
  return std::move(*got);
}

inline std::set<std::string> entries_of(const std::string& directory) {
  std::set<std::string> names;
  DIR* dir = ::opendir(directory.c_str());
  if (dir == nullptr) return names;
  while (const dirent* e = ::readdir(dir)) {
    if (std::string(e->d_name) != "." && std::string(e->d_name) != "..") names.insert(e->d_name);
  }
  ::closedir(dir);
  return names;
}

/// The descriptors that this process has open. The one that lists them is among them, each time.
inline std::size_t open_descriptors() { return entries_of("/proc/self/fd").size(); }

/// A private directory, removed with what is in it.
class scratch_directory {
 public:
  scratch_directory() {
    char name[] = "/tmp/berth-unit-XXXXXX";
    if (::mkdtemp(name) == nullptr) std::abort();
    path_ = name;
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory() {
    for (const auto& name : entries_of(path_)) ::unlink((path_ + "/" + name).c_str());
    ::rmdir(path_.c_str());
  }
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace berth::test

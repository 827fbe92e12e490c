// SPDX-License-Identifier: Apache-2.0
// Runs a coroutine to its end on a loop of its own.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <dirent.h>

#include <cstdlib>
#include <exception>
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

// SPDX-License-Identifier: Apache-2.0
// Reads standard input without changing it.
#pragma once

#include <berth/base/unique_fd.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <string>
#include <thread>

namespace berth::cli {

/// Asio would make the terminal non-blocking, for the shell that shares it too; so a thread reads. `deliver` runs on
/// the loop with what was read (empty: the end) and must call `taken` once it can take more.
class stdin_reader {
 public:
  using delivery = std::function<void(std::string data, std::function<void()> taken)>;
  stdin_reader(boost::asio::any_io_executor loop, delivery deliver);
  ~stdin_reader();  ///< stops the thread; what it had read and not delivered is lost
  stdin_reader(const stdin_reader&) = delete;
  stdin_reader& operator=(const stdin_reader&) = delete;

 private:
  unique_fd stop_;
  std::thread thread_;
};

}  // namespace berth::cli

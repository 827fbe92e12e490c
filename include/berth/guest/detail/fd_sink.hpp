// SPDX-License-Identifier: Apache-2.0
// Bytes on their way to a descriptor that somebody else has made: a pipe, a terminal, a file.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace berth::detail {

/// Writes in order, on the loop, without ever waiting in a write for a reader that does not read. The descriptor's flags stay
/// as they are: it may be shared with other programs.
class fd_sink : public std::enable_shared_from_this<fd_sink> {
 public:
  /// `written(n)`: n bytes more were dealt with; `broken(errno)`: what is appended is dropped from now on. EPIPE: nobody reads.
  struct hooks {
    std::function<void(std::size_t)> written;
    std::function<void(int)> broken;
  };

  /// Takes a duplicate of `fd`. Errors: io.
  BERTH_DECL static result<std::shared_ptr<fd_sink>> open(boost::asio::any_io_executor executor, int fd, hooks tell);

  BERTH_DECL void append(std::string_view data);
  bool empty() const noexcept { return queue_.empty(); }
  /// Nothing is written any more, and nobody told.
  BERTH_DECL void close();

  explicit fd_sink(boost::asio::any_io_executor executor) : target_(std::move(executor)) {}

 private:
  void pump();

  boost::asio::posix::stream_descriptor target_;
  hooks tell_;
  std::string queue_;
  std::size_t longest_ = 0;
  bool plain_file_ = false;
  bool waiting_ = false;
  int broken_ = 0;
};

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/guest/fd_sink.ipp>
#endif

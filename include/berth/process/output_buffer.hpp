// SPDX-License-Identifier: Apache-2.0
// What is kept of a child's output: the last bytes, and lines as they come. Pure values, no I/O.
#pragma once

#include <berth/config.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace berth {

/// The last `limit` bytes of a stream. Memory grows with what is written, up to the limit.
class output_ring {
 public:
  explicit output_ring(std::size_t limit) : limit_(limit) {}

  BERTH_DECL void append(std::string_view data);
  BERTH_DECL std::string text() const;                       ///< oldest byte first
  std::size_t dropped() const noexcept { return dropped_; }  ///< bytes that were written before those kept

 private:
  std::size_t limit_;
  std::string bytes_;
  std::size_t start_ = 0;  // the oldest byte, once bytes_ is full
  std::size_t dropped_ = 0;
};

/// Cuts a stream into lines. A line longer than `max_piece` comes in pieces of that length.
class line_splitter {
 public:
  static constexpr std::size_t max_piece = 64 * 1024;
  using sink = std::function<void(std::string_view)>;

  /// Calls `line` for each line that `data` completes, without its newline.
  BERTH_DECL void append(std::string_view data, const sink& line);
  /// At the end of the stream: hands over an unfinished last line.
  BERTH_DECL void finish(const sink& line);

 private:
  std::string rest_;
  bool pieces_ = false;  // pieces of the present line were handed over already
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/process/output_buffer.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/process/output_buffer.hpp>

#include <algorithm>

namespace berth {

BERTH_DECL void output_ring::append(std::string_view data) {
  if (data.size() >= limit_) {
    dropped_ += bytes_.size() + data.size() - limit_;
    bytes_.assign(data.substr(data.size() - limit_));
    start_ = 0;
    return;
  }
  const std::size_t room = std::min(limit_ - bytes_.size(), data.size());
  bytes_.append(data.substr(0, room));
  data.remove_prefix(room);
  dropped_ += data.size();
  while (!data.empty()) {
    const std::size_t n = std::min(data.size(), limit_ - start_);
    std::copy_n(data.data(), n, bytes_.data() + start_);
    start_ = (start_ + n) % limit_;
    data.remove_prefix(n);
  }
}

BERTH_DECL std::string output_ring::text() const { return bytes_.substr(start_) + bytes_.substr(0, start_); }

BERTH_DECL void line_splitter::append(std::string_view data, const sink& line) {
  while (!data.empty()) {
    const std::size_t newline = data.find('\n');
    std::string_view part = data.substr(0, newline);
    data.remove_prefix(newline == std::string_view::npos ? data.size() : newline + 1);

    while (rest_.size() + part.size() > max_piece) {
      const std::size_t n = max_piece - rest_.size();
      rest_.append(part.substr(0, n));
      part.remove_prefix(n);
      line(rest_);
      rest_.clear();
      pieces_ = true;
    }
    if (newline == std::string_view::npos) {
      rest_.append(part);
      return;
    }
    if (rest_.empty()) {
      // An empty rest after pieces is the end of a line whose length is a multiple of the piece: already handed over.
      if (!part.empty() || !pieces_) line(part);
    } else {
      rest_.append(part);
      line(rest_);
      rest_.clear();
    }
    pieces_ = false;
  }
}

BERTH_DECL void line_splitter::finish(const sink& line) {
  if (!rest_.empty()) line(rest_);
  rest_.clear();
  pieces_ = false;
}

}  // namespace berth

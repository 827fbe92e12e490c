// SPDX-License-Identifier: Apache-2.0
// Reading one HTTP/1.x answer, with limits; no I/O.
#pragma once

#include <berth/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace berth {

/// Takes an answer in pieces as they come off a socket. Never holds more than `max_bytes` of it.
class http_response_reader {
 public:
  static constexpr std::size_t max_bytes = 64 * 1024;
  enum class progress { more, complete, malformed, too_big };

  /// `want_body` false: complete once the head is read.
  explicit http_response_reader(bool want_body) : want_body_(want_body) {}

  BERTH_DECL progress append(std::string_view data);
  /// The peer closed: complete only where that is how the answer ends.
  BERTH_DECL progress finish();

  int status() const noexcept { return status_; }  ///< 0 until the head is read
  const std::string& body() const noexcept { return body_; }

 private:
  enum class framing { length, chunked, until_close };
  progress read_head();
  progress read_body();
  progress read_chunks();

  bool want_body_;
  bool in_body_ = false;
  int status_ = 0;
  framing framing_ = framing::until_close;
  std::uint64_t length_ = 0;
  std::size_t total_ = 0;
  std::string raw_;  // not yet understood
  std::string body_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/readiness/http_response.ipp>
#endif

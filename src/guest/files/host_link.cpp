// SPDX-License-Identifier: Apache-2.0
#include "host_link.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace berth::guest {
namespace {

constexpr std::size_t piece_size = guest_frame_limit;
constexpr std::size_t piece_count = 4;

void write_header(char* to, guest_frame_kind kind, std::size_t size) {
  std::string header;
  append_guest_frame(header, kind, {});
  for (std::size_t i = 0; i < 4; ++i) header[i] = static_cast<char>(size >> (8 * i));
  std::memcpy(to, header.data(), guest_header_size);
}

}  // namespace

host_link::host_link(unique_fd socket, guest_frame_reader reader, std::string unsent)
    : socket_(std::move(socket)),
      reader_(std::move(reader)),
      room_(piece_count * (guest_header_size + piece_size)),
      received_(256 * 1024) {
  ::fcntl(socket_.get(), F_SETFL, ::fcntl(socket_.get(), F_GETFL) & ~O_NONBLOCK);
  for (std::size_t i = 0; i < piece_count; ++i)
    pieces_.push_back({room_.data() + i * (guest_header_size + piece_size) + guest_header_size, piece_size});
  send(unsent);
}

std::optional<guest_frame> host_link::next(int patience_ms) {
  while (!gone_) {
    const auto frame = reader_.next();
    if (!frame) break;
    if (*frame) return **frame;
    if (patience_ms >= 0) {
      pollfd ready{socket_.get(), POLLIN, 0};
      const int n = ::poll(&ready, 1, patience_ms);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
    }
    const ssize_t n = ::recv(socket_.get(), received_.data(), received_.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    reader_.append({received_.data(), static_cast<std::size_t>(n)});
  }
  gone_ = true;
  return std::nullopt;
}

bool host_link::send(std::string_view bytes) {
  while (!bytes.empty() && !gone_) {
    const ssize_t n = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) gone_ = true;
    else bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return !gone_;
}

bool host_link::say(guest_frame_kind kind, std::string_view payload) {
  std::string frame;
  append_guest_frame(frame, kind, payload);
  return send(frame);
}

bool host_link::say_content(std::string_view content) {
  while (!content.empty()) {
    std::size_t filled = 0;
    for (const piece& to : pieces_) {
      const std::size_t n = std::min(content.size(), to.size);
      std::memcpy(to.data, content.data(), n);
      content.remove_prefix(n);
      filled += n;
    }
    if (!say_pieces(filled)) return false;
  }
  return true;
}

bool host_link::say_pieces(std::size_t bytes) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < piece_count && bytes > 0; ++i) {
    const std::size_t n = std::min(bytes, piece_size);
    write_header(pieces_[i].data - guest_header_size, guest_frame_kind::out, n);
    length += guest_header_size + n;
    bytes -= n;
  }
  return send({room_.data(), length});
}

int host_link::take_input(const std::function<int(std::string_view)>& take) {
  while (const auto frame = next()) {
    if (frame->kind == guest_frame_kind::input_end) {
      input_comes_ = false;
      return 0;
    }
    if (frame->kind != guest_frame_kind::input) break;
    if (const int err = take(frame->payload); err != 0) return err;
  }
  gone_ = true;
  return ECANCELED;
}

bool host_link::leaves_within(int ms) {
  pollfd end{socket_.get(), POLLRDHUP, 0};
  return ::poll(&end, 1, ms) > 0;
}

bool host_link::drop_input() {
  if (input_comes_ && !gone_) (void)take_input([](std::string_view) { return 0; });
  return !gone_;
}

}  // namespace berth::guest

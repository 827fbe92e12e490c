// SPDX-License-Identifier: Apache-2.0
#include "event_inbox.hpp"

#include "complain.hpp"

#include <berth/base/unique_fd.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

namespace berth::guest {
namespace {

constexpr std::size_t longest = 512;

sockaddr_un inbox_address() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s/events", guest_directory);
  return address;
}

unique_fd open_inbox() {
  unique_fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = inbox_address();
  ::unlink(address.sun_path);
  // The directory is root's alone.
  if (socket && ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return socket;
  complain_errno("cannot listen for what the nested runtime reports");
  return {};
}

}  // namespace

struct event_inbox::state {
  boost::asio::posix::stream_descriptor socket;
  std::function<void(std::string, std::uint64_t)> killed;
};

event_inbox::event_inbox(const boost::asio::any_io_executor& on,
                         std::function<void(std::string, std::uint64_t)> killed) {
  unique_fd socket = open_inbox();
  if (!socket) return;
  state_ =
      std::make_shared<state>(state{boost::asio::posix::stream_descriptor(on, socket.release()), std::move(killed)});
  listen(state_);
}

event_inbox::~event_inbox() {
  if (!state_) return;
  boost::system::error_code ignored;
  state_->killed = nullptr;
  state_->socket.close(ignored);
  ::unlink(inbox_address().sun_path);
}

// "CONTAINER LIMIT"
void event_inbox::listen(const std::shared_ptr<state>& held) {
  held->socket.async_wait(boost::asio::posix::stream_descriptor::wait_read, [held](boost::system::error_code failed) {
    if (failed || !held->killed) return;
    char buffer[longest];
    const ssize_t n = ::recv(held->socket.native_handle(), buffer, sizeof buffer, MSG_DONTWAIT);
    const std::string_view text(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
    const std::size_t blank = text.find(' ');
    std::uint64_t limit = 0;
    if (blank != text.npos) {
      const auto read = std::from_chars(text.data() + blank + 1, text.data() + text.size(), limit);
      if (read.ec == std::errc()) held->killed(std::string(text.substr(0, blank)), limit);
    }
    listen(held);
  });
}

void report_memory_kill(const std::string& container, std::uint64_t limit) {
  const std::string text = container + " " + std::to_string(limit);
  const sockaddr_un address = inbox_address();
  const unique_fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket && text.size() <= longest)
    (void)::sendto(socket.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                   reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace berth::guest

#include "channel.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace berth::cli {
namespace {

// A message is its kind and then strings, each behind its length as 32 bits. Both ends are the same program.
void put(std::string& out, std::string_view text) {
  const auto length = static_cast<std::uint32_t>(text.size());
  char bytes[sizeof length];
  std::memcpy(bytes, &length, sizeof length);
  out.append(bytes, sizeof length);
  out += text;
}

result<std::vector<std::string>> take_all(std::string_view in) {
  std::vector<std::string> out;
  while (!in.empty()) {
    std::uint32_t length = 0;
    if (in.size() < sizeof length) return make_error(errc::internal, "cli", "the monitor sent half a message");
    std::memcpy(&length, in.data(), sizeof length);
    in.remove_prefix(sizeof length);
    if (in.size() < length) return make_error(errc::internal, "cli", "the monitor sent half a message");
    out.emplace_back(in.substr(0, length));
    in.remove_prefix(length);
  }
  return out;
}

// A message has to fit the socket's buffer; what is longer loses its beginning, as a log's last lines matter most.
constexpr std::size_t longest_detail = 64 * 1024;

}  // namespace

std::string encode_event(const monitor_event& event) {
  std::string out(1, static_cast<char>(event.what));
  switch (event.what) {
    case monitor_event::kind::log:
      put(out, std::to_string(static_cast<int>(event.log.level)));
      put(out, event.log.message);
      for (const log_field& field : event.log.fields) {
        put(out, field.key);
        put(out, field.value);
      }
      break;
    case monitor_event::kind::created: put(out, event.id); break;
    case monitor_event::kind::ready: break;
    case monitor_event::kind::failed: {
      const error& e = event.failure;
      put(out, std::to_string(event.exit_code));
      put(out, std::to_string(static_cast<std::int32_t>(e.code)));
      put(out, std::to_string(e.sys_errno));
      for (const std::string* text : {&e.layer, &e.message, &e.path, &e.hint}) put(out, *text);
      std::string_view detail = e.detail;
      if (detail.size() > longest_detail) detail.remove_prefix(detail.size() - longest_detail);
      put(out, detail);
      break;
    }
  }
  return out;
}

result<monitor_event> decode_event(std::string_view message) {
  const error bad = make_error(errc::internal, "cli", "the monitor sent a message of unknown form");
  if (message.empty()) return bad;
  monitor_event out;
  out.what = static_cast<monitor_event::kind>(message.front());
  const auto fields = take_all(message.substr(1));
  if (!fields) return fields.error();
  const auto& f = *fields;
  switch (out.what) {
    case monitor_event::kind::log:
      if (f.size() < 2 || f.size() % 2 != 0) return bad;
      out.log.level = static_cast<log_level>(std::clamp(std::atoi(f[0].c_str()), 0, 3));
      out.log.message = f[1];
      for (std::size_t i = 2; i < f.size(); i += 2) out.log.fields.push_back({f[i], f[i + 1]});
      return out;
    case monitor_event::kind::created:
      if (f.size() != 1) return bad;
      out.id = f[0];
      return out;
    case monitor_event::kind::ready: return out;
    case monitor_event::kind::failed:
      if (f.size() != 8) return bad;
      out.exit_code = std::atoi(f[0].c_str());
      out.failure.code = static_cast<errc>(std::atoi(f[1].c_str()));
      out.failure.sys_errno = std::atoi(f[2].c_str());
      out.failure.layer = f[3];
      out.failure.message = f[4];
      out.failure.path = f[5];
      out.failure.hint = f[6];
      out.failure.detail = f[7];
      return out;
  }
  return bad;
}

result<channel_pair> make_channel() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return errno_error(errno, "cli", "cannot make a socket pair");
  return channel_pair{unique_fd(ends[0]), unique_fd(ends[1])};
}

bool send_event(int fd, const monitor_event& event) {
  if (fd < 0) return false;
  const std::string message = encode_event(event);
  for (int tries = 0;; ++tries) {
    if (::send(fd, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return true;
    if (errno == EINTR) continue;
    if (errno != EAGAIN || event.what == monitor_event::kind::log || tries == 50) return errno == EAGAIN;
    struct pollfd wait{fd, POLLOUT, 0};
    ::poll(&wait, 1, 100);
  }
}

}  // namespace berth::cli

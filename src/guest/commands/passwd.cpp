// SPDX-License-Identifier: Apache-2.0
#include "passwd.hpp"

#include <berth/base/unique_fd.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace berth::guest {
namespace {

std::string read_text(const char* path) {
  constexpr std::size_t most = 1u << 20;
  const unique_fd file(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));  // a FIFO must not hold us up
  std::string text;
  std::array<char, 16 * 1024> buffer;
  while (file && text.size() < most) {
    const ssize_t n = ::read(file.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return text;
}

}  // namespace

std::string home_of(std::uint32_t uid) { return home_of_user(uid, read_text("/etc/passwd")); }

result<user_identity> look_up_user(const std::string& user) {
  return resolve_user(user, read_text("/etc/passwd"), read_text("/etc/group"));
}

}  // namespace berth::guest

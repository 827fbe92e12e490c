// SPDX-License-Identifier: Apache-2.0
#include "machine_id.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>

#include <fcntl.h>
#include <sys/random.h>

namespace berth::guest {

bool has_machine_id(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text.size() == 32 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

std::string form_machine_id(std::array<unsigned char, 16> random) {
  // A UUID of version 4, as machine-id(5) wants it.
  random[6] = static_cast<unsigned char>((random[6] & 0x0f) | 0x40);
  random[8] = static_cast<unsigned char>((random[8] & 0x3f) | 0x80);
  std::string out;
  for (const unsigned char byte : random) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

void renew_machine_id() {
  std::array<unsigned char, 16> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) return;
  const std::string id = form_machine_id(random) + "\n";
  for (const char* path : {"/etc/machine-id", "/var/lib/dbus/machine-id"}) {
    // No link is followed: D-Bus's mostly leads to the other one. A FIFO in its place keeps nobody waiting.
    const auto text = read_file(path, 64, "guest");
    if (!text || !has_machine_id(*text)) continue;
    const unique_fd file(::open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (file) (void)write_all(file.get(), id);
  }
}

}  // namespace berth::guest

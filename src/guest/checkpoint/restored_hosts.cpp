// SPDX-License-Identifier: Apache-2.0
#include "restored_hosts.hpp"

#include "base/words.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>

#include <fcntl.h>

namespace berth::guest {

std::string rename_in_hosts(std::string_view hosts, std::string_view old_name, std::string_view address,
                            std::string_view name) {
  std::string out;
  std::string_view line;
  while (!hosts.empty()) {
    const bool whole = hosts.find('\n') != std::string_view::npos;
    (void)next_line(hosts, line);
    std::string_view rest = line, before, word;
    std::string names;
    bool named = false;
    if (next_word(rest, before) && before.front() != '#') {
      while (next_word(rest, word)) {
        named = named || word == old_name;
        names += names.empty() ? "" : " ";
        names += word == old_name ? name : word;
      }
    }
    if (named) out += std::string(address.empty() ? before : address) + "\t" + names;
    else out += line;
    if (whole) out += '\n';
  }
  return out;
}

void rename_host(const std::string& old_name, const std::string& address, const std::string& name) {
  if (name.empty() || name == old_name) return;
  constexpr const char* path = "/etc/hosts";
  const std::string text = read_system_file(path);
  const std::string now = rename_in_hosts(text, old_name, address, name);
  if (now == text) return;
  // In place: it may be a mount of somebody's.
  const unique_fd file(::open(path, O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (file) (void)write_all(file.get(), now);
}

}  // namespace berth::guest

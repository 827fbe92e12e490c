// SPDX-License-Identifier: Apache-2.0
#include "loop.hpp"

#include "options/options.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace berth::cli {

std::string find_program(std::string_view name) {
  std::string path = own_variable("PATH");
  if (path.empty()) path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string_view directory = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (directory.empty() || directory.front() != '/') continue;  // a relative entry would run what lies about
    std::string candidate = std::string(directory) + "/" + std::string(name);
    struct stat info;
    if (::stat(candidate.c_str(), &info) == 0 && S_ISREG(info.st_mode) && ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
  }
  return {};
}

}  // namespace berth::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>

namespace berth_test {

/// What `sh -c script` prints on this host, without the newlines at the end, and its exit code where that is not 0.
inline std::string host_shell(const std::string& script) {
  std::string text;
  std::FILE* pipe = ::popen(script.c_str(), "re");
  if (pipe == nullptr) return "popen failed";
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) != 0;) text.append(buffer, n);
  const int status = ::pclose(pipe);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (status != 0) text += "[exit code " + std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : -1) + "]";
  return text;
}

}  // namespace berth_test

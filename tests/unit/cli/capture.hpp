// SPDX-License-Identifier: Apache-2.0
// The command run in this process, with its streams in files.
#pragma once

#include <command.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

namespace berth::cli::test {

struct outcome {
  int code = -1;
  std::string out;
  std::string err;
};

/// Replaces a descriptor by a temporary file for its lifetime.
class redirected {
 public:
  redirected(int fd, std::string_view content = {}) : fd_(fd), saved_(::dup(fd)), file_(std::tmpfile()) {
    EXPECT_NE(file_, nullptr);
    if (!content.empty()) {
      EXPECT_EQ(std::fwrite(content.data(), 1, content.size(), file_), content.size());
    }
    std::rewind(file_);
    std::fflush(nullptr);  // what GoogleTest has in its buffer is not the command's
    ::dup2(::fileno(file_), fd);
  }
  ~redirected() {
    ::dup2(saved_, fd_);
    ::close(saved_);
    std::fclose(file_);
  }
  std::string text() const {
    std::string all;
    char buffer[4096];
    off_t at = 0;
    for (ssize_t n; (n = ::pread(::fileno(file_), buffer, sizeof buffer, at)) > 0; at += n)
      all.append(buffer, static_cast<std::size_t>(n));
    return all;
  }

 private:
  int fd_;
  int saved_;
  std::FILE* file_;
};

inline outcome run(std::vector<std::string> words, std::string_view input = {}) {
  const redirected in(STDIN_FILENO, input), out(STDOUT_FILENO), err(STDERR_FILENO);
  outcome result;
  result.code = run_command_line(std::move(words));
  std::fflush(nullptr);
  result.out = out.text();
  result.err = err.text();
  return result;
}

}  // namespace berth::cli::test

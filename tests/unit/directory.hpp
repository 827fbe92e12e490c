// SPDX-License-Identifier: Apache-2.0
// A directory for the length of a test.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace berth::test {

class directory {
 public:
  directory() {
    std::string pattern = testing::TempDir() + "/berth-unit-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~directory() { std::filesystem::remove_all(path_); }
  std::string operator/(const char* name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace berth::test

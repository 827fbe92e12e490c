// SPDX-License-Identifier: Apache-2.0
// Credential helpers of the tests' own: shell scripts in a directory at the front of PATH.
#pragma once

#include "../directory.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace berth::test {

/// For its length PATH begins with a directory of helpers, and they find it in $SEEN.
class helpers_on_path {
 public:
  helpers_on_path() {
    ::setenv("PATH", (directory_.path() + ":" + path_).c_str(), 1);
    ::setenv("SEEN", directory_.path().c_str(), 1);
  }
  ~helpers_on_path() {
    ::setenv("PATH", path_.c_str(), 1);
    ::unsetenv("SEEN");
  }
  void add(const std::string& name, const std::string& script) const {
    const std::string file = directory_.path() + "/docker-credential-" + name;
    std::ofstream(file) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }
  const std::string& path() const { return directory_.path(); }
  std::string operator/(const char* name) const { return directory_ / name; }

 private:
  const std::string path_ = std::getenv("PATH");
  directory directory_;
};

}  // namespace berth::test

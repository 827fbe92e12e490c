// SPDX-License-Identifier: Apache-2.0
// What tests of snapshots by the command share.
#pragma once

#include "command_fixture.hpp"

#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

namespace berth_test {

class snapshot_test : public command_test {
 protected:
  void TearDown() override {
    // They outlive their sandboxes, and are no garbage.
    run({"rm", "--force", "box", "one", "two", "three"});
    ::umount2((root_ + "/.snapshots").c_str(), MNT_DETACH);
    std::filesystem::remove_all(root_ + "/.snapshots");
    std::filesystem::remove_all(beside());
    command_test::TearDown();
  }
  /// A directory for what is no sandbox's.
  std::string beside() const {
    const std::string path = root_ + "-beside";
    std::filesystem::create_directory(path);
    return path;
  }
  std::vector<std::string> on_network(std::vector<std::string> more) const {
    std::vector<std::string> all{"run", "-d", "--rootfs", rootfs_};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::string inside(const std::string& id, const std::string& script) {
    return must({"exec", id, "--", "sh", "-c", script});
  }
  std::string docker(const std::string& id, std::vector<std::string> args, const std::string& input = {}) {
    std::vector<std::string> all{"docker", id, "--"};
    all.insert(all.end(), args.begin(), args.end());
    return must(all, input);
  }
  std::string status_of(const std::string& id, const std::vector<std::string>& path) {
    return parsed_json(run({"status", id, "--json"}).out).at(path);
  }
  bool counts_on(const std::function<std::string()>& look) {
    // Looked at before the first write it is missing, and while it is written it is empty.
    std::string before;
    return eventually([&] { return !(before = look()).empty(); }) && eventually([&] {
             const std::string now = look();
             return !now.empty() && now != before;
           });
  }
};

}  // namespace berth_test

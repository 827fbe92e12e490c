// SPDX-License-Identifier: Apache-2.0
// Everything that a sandbox's life may leave behind on a host, counted.
#pragma once

#include <map>
#include <set>
#include <string>

namespace berth_test {

/// What there is at one moment: processes, descriptors, mounts, namespaces, links, rules, cgroups, directories, of one root
/// directory of berth's (other tests and programs may be at work on the same host).
struct census {
  std::map<std::string, std::set<std::string>> found;  // kind → names

  static census take(const std::string& root);

  /// What is here and not in `before`, a line each; empty when there is nothing.
  std::string more_than(const census& before) const;
  std::size_t count(const std::string& kind) const {
    const auto at = found.find(kind);
    return at == found.end() ? 0 : at->second.size();
  }
};

/// Takes a census until nothing is there that was not in `before`, or time is up; the difference, empty at best. Only the
/// reaping of what was killed is waited for: that is for the host's init to do.
std::string left_behind(const std::string& root, const census& before);

}  // namespace berth_test

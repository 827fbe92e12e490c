// SPDX-License-Identifier: Apache-2.0
// What garbage collection took away.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace berth {

enum class orphan_kind { process, network, cgroup, directory };

/// A resource that no record speaks of any more.
struct orphan {
  orphan_kind kind = orphan_kind::process;
  /// process: its number on the host. network: the token in the names of namespace, link and table. cgroup: its path.
  /// directory: its name in the root directory.
  std::string name;
  std::string what;  ///< of a process: "runsc-sandbox of the sandbox web"; else empty
};

struct collected_garbage {
  std::vector<std::string> sandboxes;  ///< ids
  std::vector<orphan> orphans;
};

/// "process", "network", "cgroup", "directory".
constexpr std::string_view orphan_kind_name(orphan_kind kind) noexcept {
  switch (kind) {
    case orphan_kind::process: return "process";
    case orphan_kind::network: return "network";
    case orphan_kind::cgroup: return "cgroup";
    case orphan_kind::directory: return "directory";
  }
  return "";
}

}  // namespace berth

// SPDX-License-Identifier: Apache-2.0
// What killed processes left of all that a root directory holds: sandboxes, unfinished snapshots, pools.
#pragma once

#include <berth/base/json_writer.hpp>
#include <berth/sandbox/config.hpp>
#include <berth/sandbox/garbage.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <vector>

namespace berth {

struct root_garbage {
  collected_garbage sandboxes;  ///< those of pools too
  std::vector<std::string> pools;
  int unfinished_snapshots = 0;
  std::optional<error> failed;  ///< the first failure: what could be removed was, all the same
};

/// collect_garbage, remove_unfinished_snapshots and collect_pools, one after the other. Errors: theirs, in `failed`.
BERTH_DECL boost::asio::awaitable<root_garbage> collect_root_garbage(environment where);

/// {"removed":["ID"…],"orphans":[{"kind","name","what"}…],"unfinished_snapshots":0,"pools":["NAME"…]}
BERTH_DECL void write_json(json_writer& to, const root_garbage& garbage);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/snapshot/root_garbage.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/first_failure.hpp>
#include <berth/sandbox/sandbox.hpp>
#include <berth/snapshot/pool.hpp>
#include <berth/snapshot/root_garbage.hpp>
#include <berth/snapshot/store.hpp>

namespace berth {

BERTH_DECL boost::asio::awaitable<root_garbage> collect_root_garbage(environment where) {
  root_garbage out;
  first_failure first;
  auto collecting = collect_garbage(where, &out.sandboxes);
  auto collected = co_await std::move(collecting);
  if (!collected) first.keep(std::move(collected).error());
  auto unfinished = remove_unfinished_snapshots(where);
  if (unfinished) out.unfinished_snapshots = *unfinished;
  else first.keep(std::move(unfinished).error());
  auto stopping = collect_pools(std::move(where));
  auto stopped = co_await std::move(stopping);
  if (stopped) {
    out.sandboxes.sandboxes.insert(out.sandboxes.sandboxes.end(), stopped->sandboxes.begin(), stopped->sandboxes.end());
    out.pools = std::move(stopped->pools);
  } else {
    first.keep(std::move(stopped).error());
  }
  if (first) out.failed = first.take().error();
  co_return out;
}

BERTH_DECL void write_json(json_writer& to, const root_garbage& garbage) {
  to.open_object().key("removed").open_array();
  for (const std::string& id : garbage.sandboxes.sandboxes) to.string(id);
  to.close_array().key("orphans").open_array();
  for (const orphan& one : garbage.sandboxes.orphans) {
    to.open_object().key("kind").string(orphan_kind_name(one.kind)).key("name").string(one.name);
    if (!one.what.empty()) to.key("what").string(one.what);
    to.close_object();
  }
  to.close_array().key("unfinished_snapshots").number(garbage.unfinished_snapshots).key("pools").open_array();
  for (const std::string& name : garbage.pools) to.string(name);
  to.close_array().close_object();
}

}  // namespace berth

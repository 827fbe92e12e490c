// SPDX-License-Identifier: Apache-2.0
// Taking a sandbox away, whole or in parts that a crash left.
#pragma once

#include <berth/sandbox/config.hpp>
#include <berth/sandbox/garbage.hpp>
#include <berth/sandbox/record.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace berth::detail {

/// How long a removal waits for what does not go at once.
inline constexpr seconds removal_patience{30};
/// What ip and nft have at least, whatever the caller's patience is: that is for a sandbox that does not end. They wait for nobody
/// but each other, where many sandboxes are removed at once, and ended in the middle they leave what was to be removed.
inline constexpr seconds host_tools_patience{15};

/// Removes all that the record speaks of; its directory's lock must be held. Goes on past failures and gives the first,
/// and then the directory with the record stays.
BERTH_DECL boost::asio::awaitable<result<void>> remove_resources(environment where, sandbox_record record,
                                                                 duration patience = removal_patience);

/// Removes processes, networks and cgroups that are proved to be of this root and belong to no record, and adds them to
/// `found`. Nothing while a record is damaged, since they might be its; nothing of a sandbox whose state directory is hidden
/// from here.
BERTH_DECL boost::asio::awaitable<result<void>> remove_orphans(std::string root, log_sink sink,
                                                               collected_garbage* found);

/// Whether the sandbox is one that collect_garbage removes, its lock being held. Reads processes only.
BERTH_DECL bool is_garbage(const sandbox_record& record, const std::string& boot_id);

/// Tells `where.on_phase`.
inline void enter_phase(const environment& where, std::string_view phase) {
  if (where.on_phase) where.on_phase(phase);
}

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/remove.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
// Whether the nft tables that isolate running sandboxes are still there: others may have flushed them.
#pragma once

#include <berth/base/result.hpp>
#include <berth/sandbox/record.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// Whether `nft list tables` or `nft list chains` names both of the sandbox's tables. Pure.
BERTH_DECL bool has_tables(const sandbox_record& record, std::string_view listed);

/// Whether it is one that runs in a network of berth's making.
BERTH_DECL bool needs_rules(const sandbox_record& record);

/// Those of the records that need rules and have none. Asks nft, and where one seems to have none, reads its record again:
/// it may just have been removed. Blocking. Errors: nft's.
BERTH_DECL result<std::vector<sandbox_record>> find_without_rules(const std::vector<sandbox_record>& records);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/managed/sandbox_rules.ipp>
#endif

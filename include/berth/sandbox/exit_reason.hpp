// SPDX-License-Identifier: Apache-2.0
// Why a sandbox runs no more.
#pragma once

#include <berth/base/error.hpp>
#include <berth/sandbox/record.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth {

/// none: it runs, or is being made; or nobody knows, since it is of an earlier boot or its record is damaged. ended: its first
/// process ended, or was killed, by somebody. out_of_memory: the kernel has killed at its memory limit: the sandbox, or a
/// program inside, whose memory is that of a process of the host's (gVisor's systrap), while the sandbox went on.
enum class exit_reason { none, ended, out_of_memory };
BERTH_DECL std::string_view exit_reason_name(exit_reason reason) noexcept;  ///< "", "ended", "out_of_memory"

/// Of a sandbox, by its record: from the process and, where it had a limit, from its cgroup, which stays until the sandbox
/// is removed. Reads a few small files.
BERTH_DECL exit_reason find_exit_reason(const sandbox_record& record);

/// How many processes the kernel has killed at the sandbox's memory limit, also while it goes on; 0 without a limit.
BERTH_DECL std::uint64_t count_memory_kills(const sandbox_record& record);

namespace detail {

/// How often the kernel has killed for lack of memory, in a text of memory.oom_control (v1) or memory.events (v2). Pure.
BERTH_DECL std::optional<std::uint64_t> parse_oom_kills(std::string_view text);

/// sandbox_not_running, in the words of the reason; `otherwise` is what is said where that is not out_of_memory.
BERTH_DECL error not_running_error(const sandbox_record& record, std::string otherwise, std::string hint = {});

}  // namespace detail

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/exit_reason.ipp>
#endif

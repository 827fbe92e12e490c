// SPDX-License-Identifier: Apache-2.0
// One small process for all sandboxes of a root directory whose egress policy has names in it: it answers their questions for
// names, and opens the addresses that it answers with. It is berth-init, on the host (src/guest/host/names.cpp), and what it goes by
// are the records: it is started when a sandbox needs it and none runs, ends when no sandbox does, and its death is made good by
// the next call that looks at a sandbox. Until then names do not resolve, and nothing more is opened.
#pragma once

#include <berth/base/result.hpp>
#include <berth/sandbox/config.hpp>
#include <berth/sandbox/record.hpp>

#include <string>
#include <vector>

namespace berth {

/// The descriptor of the root's mark in that process. A flock on it tells that it runs.
inline constexpr int names_lock_fd = 3;
/// In the root directory: a seqpacket socket. Each packet is a question about the sandbox of a token, and has one packet as its
/// answer, once the records have been read: "serve TOKEN"; or "refused TOKEN", and a line for each name that the sandbox was
/// refused (names_line). The first line is "done", or says why its questions cannot be answered.
inline constexpr const char* names_socket = ".names.sock";
inline constexpr std::size_t most_refused_names = 256;

/// Whether its questions are to be answered. Of an earlier boot, and of one that is gone, none are.
BERTH_DECL bool needs_names(const sandbox_record& record, const std::string& boot_id);

/// Sees to it that the questions of the sandbox of this token are answered by what its record says now. Blocks for some
/// milliseconds, at most 10 s. Errors: network_failed (they cannot be), spawn_failed and spawn's; permission, io, timeout.
BERTH_DECL result<void> ensure_names(const std::string& root, const std::string& init, const std::string& token);
/// The same for whoever happens to look at these sandboxes. A failure is for the next one.
BERTH_DECL void revive_names(const environment& where, const std::string& root,
                             const std::vector<sandbox_record>& records);

/// The names that a sandbox was refused since the process runs, most_refused_names at most, the latest first. None where it does
/// not run.
BERTH_DECL std::vector<refused_name> list_refused_names(const std::string& root, const std::string& token);

namespace detail {
/// Removes the socket of a process that was killed.
BERTH_DECL void forget_names(const std::string& root);
/// "www.example.com 3 20\n": name, questions, seconds since the last.
BERTH_DECL std::string names_line(const refused_name& name);
BERTH_DECL std::vector<refused_name> parse_names_lines(std::string_view text);
}  // namespace detail

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/name_service.ipp>
#endif

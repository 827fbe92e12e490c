// SPDX-License-Identifier: Apache-2.0
// The mark of one root directory, by which what was made for its sandboxes is told from everybody else's.
#pragma once

#include <berth/base/result.hpp>

#include <string>

namespace berth::detail {

/// How many characters of a sandbox's token stand for its root directory.
inline constexpr std::size_t root_prefix_size = 5;

/// The characters that the tokens of this root's sandboxes begin with. They are drawn at random once and kept in a file of
/// the root, whose name holds the directory's device and inode: a copy of a root, or a file system that is mounted over it,
/// is another root. So a name on the host that begins with them was made for a sandbox of this very directory. Empty when
/// the root has no mark: then nothing on the host can be proved to be its own. Errors: io, permission, record_damaged.
BERTH_DECL result<std::string> find_root_prefix(const std::string& root);

/// The same, drawn now where there is none yet. Two processes that do so at once get the same one.
BERTH_DECL result<std::string> make_root_prefix(const std::string& root);

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/root_marker.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
// The directory that the sandboxes of an environment lie in: which path it has, and how long one may be.
#pragma once

#include <berth/base/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace berth {

/// The path that `root` stands for: without symlinks, as far as it is there. What is below is named by it, so that it is
/// what must suit runsc. Errors: invalid when it is relative or has a character in it that runsc cannot take.
BERTH_DECL result<std::string> resolve_root(const std::string& root);
/// Whether the sockets of a sandbox of this id fit below a resolved root; an empty id stands for one that berth makes up.
/// Errors: invalid.
BERTH_DECL result<void> check_socket_paths(const std::string& root, std::string_view id);
/// How many characters an id may have below a resolved root; 0 when the root is too long for any.
BERTH_DECL std::size_t longest_id(const std::string& root);
/// Of an id that berth makes up.
inline constexpr std::size_t made_up_id_size = 12;

/// Makes the root directory (0700) where it is absent, and gives its path without symlinks. A root that others can write
/// to is refused: what they put there would be taken for records. Errors: as resolve_root; permission, io.
BERTH_DECL result<std::string> open_root(const std::string& root);
/// The same without making it: not_found when it is absent.
BERTH_DECL result<std::string> find_root(const std::string& root);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/root_directory.ipp>
#endif

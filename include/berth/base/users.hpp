// SPDX-License-Identifier: Apache-2.0
// The users of a root file system, by name and number. No NSS.
#pragma once

#include <berth/base/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

struct user_identity {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;  ///< further ones, from /etc/group
};

/// "uid", "uid:gid", "name", "name:group" as docker's --user: a uid without gid has the group that passwd says, or 0.
/// Pure: the texts are /etc/passwd and /etc/group. Errors: invalid, not_found.
BERTH_DECL result<user_identity> resolve_user(std::string_view user, std::string_view passwd, std::string_view group);

/// The same by the two files of a root file system, symlinks taken as they are meant inside. Errors: too_big too (1
/// MiB).
BERTH_DECL result<user_identity> find_user(std::string_view user, const std::string& rootfs);

/// The home directory that the text of /etc/passwd has for a user; without one, root's is /root and any other's is /. Pure.
BERTH_DECL std::string home_of_user(std::uint32_t uid, std::string_view passwd);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/base/users.ipp>
#endif

// User names of a root file system, which runsc takes as numbers only.
#pragma once

#include <berth/base/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth::detail {

struct sandbox_user {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;  ///< further ones, from /etc/group
};

/// "uid", "uid:gid", "name", "name:group" as docker's --user: a uid without gid has the group that passwd says, or 0.
/// Pure: the texts are /etc/passwd and /etc/group. Errors: invalid, not_found.
BERTH_DECL result<sandbox_user> resolve_user(std::string_view user, std::string_view passwd, std::string_view group);

/// The same by the two files of a root file system, symlinks taken as they are meant inside. Errors: too_big too (1
/// MiB).
BERTH_DECL result<sandbox_user> find_user(std::string_view user, const std::string& rootfs);

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/users.ipp>
#endif

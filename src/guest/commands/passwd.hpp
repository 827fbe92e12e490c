// SPDX-License-Identifier: Apache-2.0
// What the guest reads of the root file system's users.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/users.hpp>

#include <cstdint>
#include <string>

namespace berth::guest {

/// The home directory that /etc/passwd has for a user.
std::string home_of(std::uint32_t uid);

/// As docker's --user, by /etc/passwd and /etc/group as they are now.
result<user_identity> look_up_user(const std::string& user);

}  // namespace berth::guest

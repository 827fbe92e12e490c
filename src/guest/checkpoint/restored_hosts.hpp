// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace berth::guest {

/// The text of an /etc/hosts in which a sandbox is called `old_name`, as one that is called `name` and has `address` has it.
/// Where `address` is empty the lines keep theirs. Pure.
std::string rename_in_hosts(std::string_view hosts, std::string_view old_name, std::string_view address,
                            std::string_view name);

/// The same done to /etc/hosts, where that names the old one: a sandbox that changed the file has it in the checkpoint.
void rename_host(const std::string& old_name, const std::string& address, const std::string& name);

}  // namespace berth::guest

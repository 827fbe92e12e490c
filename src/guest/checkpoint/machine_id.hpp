// SPDX-License-Identifier: Apache-2.0
// The number by which programs tell one machine from another (machine-id(5)): a copy has its own.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace berth::guest {

/// Whether the text of such a file has an id: 32 hexadecimal digits, and a line feed at most. Pure.
bool has_machine_id(std::string_view text);

/// As systemd forms one of 16 random bytes. Pure.
std::string form_machine_id(std::array<unsigned char, 16> random);

/// Gives a new one where there is one, in /etc/machine-id and, where that is a file of its own, in D-Bus's. A root file system without
/// gets none.
void renew_machine_id();

}  // namespace berth::guest

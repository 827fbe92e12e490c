// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace berth::guest {

/// The first program of that name on PATH that is another file than this one, which may stand before it. Empty: there is none.
std::string find_real_program(std::string_view name);

}  // namespace berth::guest

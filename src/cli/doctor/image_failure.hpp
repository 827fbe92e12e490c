// SPDX-License-Identifier: Apache-2.0
// What skopeo and umoci mean when they fail.
#pragma once

#include <berth/base/error.hpp>

#include <string>
#include <string_view>

namespace berth::cli {

/// Why a tool gave up, where it says so in a field of its own (`level=fatal msg="…"`); otherwise all that it printed.
std::string plain_words(std::string_view printed);

/// The error of a tool that failed on an image: the cause as far as it is known, where (`image`), and what to do; the tool's
/// own words are the detail. `ended` is how it ended ("exit code 1").
error explain_failure(const std::string& program, const std::string& ended, std::string_view printed,
                      const std::string& image);

}  // namespace berth::cli

// SPDX-License-Identifier: Apache-2.0
// The checks of `berth doctor` on an image that is not on this machine as a directory.
#pragma once

#include "doctor/image_reference.hpp"
#include "output.hpp"

#include <berth/managed/machine_checks.hpp>

#include <string>
#include <vector>

namespace berth::cli {

struct examined_image {
  std::string reference;  ///< its whole name; empty: there is none
  std::string digest;
};

struct image_examination {
  examined_image image;
  std::vector<machine_check> checks;
  int signal = 0;  ///< the one that ended it; the rest says nothing then
};

/// Fetches the image into a temporary directory, checks it and this machine, and removes the directory, whatever happens.
/// Blocks. Errors: fetch_image's, and of the directory.
result<image_examination> examine_image(const environment& where, const image_reference& image,
                                        const output_options& output);

}  // namespace berth::cli

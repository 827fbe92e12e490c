// SPDX-License-Identifier: Apache-2.0
// Images as directories: skopeo fetches, umoci unpacks.
#pragma once

#include "doctor/image_reference.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>

namespace berth::cli {

struct fetched_image {
  std::string rootfs;  ///< below the directory that was given
  std::string digest;  ///< of what the name stands for: the list of all architectures, where there is one
};

/// Puts the image into `directory`, which is empty, and where the two programs have their temporary files too. Cancelling ends
/// them; what they left is the caller's to remove. Errors: not_found of a program or the image, permission, and process_exited.
boost::asio::awaitable<result<fetched_image>> fetch_image(image_reference image, std::string mirror,
                                                          std::string directory);

}  // namespace berth::cli

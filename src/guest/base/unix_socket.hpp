// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/unique_fd.hpp>

#include <string>

#include <sys/types.h>

namespace berth::guest {

/// A stream socket that listens at `path`, in place of what is there, with that mode. None, with errno, where it cannot.
unique_fd listen_at(const std::string& path, mode_t mode);
/// A stream socket connected to `path`; unlike a program that waits for its turn, at once or not at all.
unique_fd connect_to(const std::string& path);

}  // namespace berth::guest

// SPDX-License-Identifier: Apache-2.0
// Telling containerd that a container was out of memory, as its shim does where a kernel tells it: so Docker knows OOMKilled.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace berth::guest {

/// The shim that runs a container, by its command line.
struct shim_arguments {
  std::string name_space;  ///< "moby"
  std::string address;     ///< of containerd's socket; empty: this is no shim
};

/// From /proc/PID/cmdline, words that end in NUL. Pure.
shim_arguments read_shim_arguments(std::string_view command_line);

/// The event `containerd.events.TaskOOM` of a container, as `containerd publish` takes it: a google.protobuf.Any. Pure.
std::string encode_oom_event(std::string_view container);

/// Waits until containerd has it, for some seconds at most. False: it could not be told.
bool publish_oom_event(const shim_arguments& shim, std::string_view container);

}  // namespace berth::guest

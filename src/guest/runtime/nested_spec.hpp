// SPDX-License-Identifier: Apache-2.0
// What a nested container's config.json asks for that its sandbox cannot give: taken out, lowered, or refused in words.
#pragma once

#include <berth/spec/spec_builder.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::guest {

/// A file of /proc/sys.
struct kernel_parameter {
  std::string value;
  bool writable = false;
};

/// What this sandbox can give. The kernel is asked in powers_of_this_sandbox(); a test says.
struct sandbox_powers {
  std::uint64_t capabilities = 0;   ///< one bit each, by number: what this process may hand on
  bool unmask_directories = false;  ///< runc could not cover a directory on this runsc
  bool limits_processes = true;     ///< a container is held to its --pids-limit
  std::function<bool(const std::string& path)> is_directory;
  std::function<std::uint64_t(std::string_view type)> hard_limit;  ///< of "RLIMIT_NOFILE" and so on; UINT64_MAX: none
  std::function<std::optional<kernel_parameter>(std::string_view name)>
      parameter;  ///< none: the kernel has no such one
};
sandbox_powers powers_of_this_sandbox();

/// Whether gVisor asks the pids controller at each fork, by the text of its /proc/cgroups: it asks one of a process's hierarchies
/// of version 1, any of them (release-20260905.0). Pure.
bool asks_for_each_fork(std::string_view cgroups);

/// What was taken out or lowered, in words, one item each. What nobody asked for by name is not told: masks, and
/// capabilities, of which --privileged asks for all that Linux has.
using edit_notes = std::vector<std::string>;

/// The config.json of `runc create` and `runc run`. Errors: unsupported, where the container would not be what was asked
/// for.
result<edit_notes> edit_nested_spec(spec_builder& spec, const sandbox_powers& powers);

/// The process of `runc exec`, as JSON.
struct edited_process {
  std::string json;
  edit_notes notes;
};
result<edited_process> edit_nested_process(std::string_view json, const sandbox_powers& powers);

}  // namespace berth::guest

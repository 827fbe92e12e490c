// SPDX-License-Identifier: Apache-2.0
// What a sandbox was made for, for whoever finds it: <directory>/run.json. Written once; how it goes, its guest tells.
#pragma once

#include <berth/base/result.hpp>

#include <string>
#include <vector>

namespace berth {

struct sandbox_purpose {
  bool detached = true;  ///< it keeps itself; false: a `berth run` in the foreground runs its command from outside
  bool docker = false;
  std::vector<std::string> command;  ///< for people: a long one is cut
};

/// Errors: io.
BERTH_DECL result<void> write_purpose(const std::string& directory, const sandbox_purpose& purpose);

/// Errors: not_found (a sandbox made by sandbox::create alone, or one that is still being made), record_damaged, io.
BERTH_DECL result<sandbox_purpose> read_purpose(const std::string& directory);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/managed/purpose.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
// Which release of runsc a binary is.
#pragma once

#include <berth/base/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace berth {

/// A release of runsc. gVisor numbers its releases by date ("release-20260701.0"); a binary that was built without a
/// stamp says "VERSION_MISSING", one of a Go module says "v0.0.0-20260701204157-69c2d17aea96", and distributions have
/// forms of their own: `text` is kept as printed, and `date` is 0 where none can be read.
struct runsc_version {
  std::string text;         ///< as printed, for instance "release-20260701.0"
  std::uint32_t date = 0;   ///< yyyymmdd, or 0 when not known
  std::uint32_t point = 0;  ///< the number behind the date's dot

  bool known() const noexcept { return date != 0; }
  /// At least release `yyyymmdd`.`n`; false when not known.
  bool at_least(std::uint32_t yyyymmdd, std::uint32_t n = 0) const noexcept {
    return date > yyyymmdd || (date == yyyymmdd && date != 0 && point >= n);
  }
  friend bool operator==(const runsc_version&, const runsc_version&) = default;
};

/// Reads one version text, for instance "release-20260701.0". Never fails: what holds no date is not `known`.
BERTH_DECL runsc_version parse_runsc_version(std::string_view text);

/// Reads the output of `runsc --version` ("runsc version release-20260701.0\nspec: 1.2.1\n").
/// Errors: runsc_output, when there is no "runsc version" line.
BERTH_DECL result<runsc_version> parse_runsc_version_output(std::string_view output);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/runsc/version.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
// What is different between two specs, by JSON pointer.
#pragma once

#include <berth/spec/spec_builder.hpp>

#include <string>
#include <vector>

namespace berth {

struct spec_change {
  enum class kind { added, removed, changed };
  std::string pointer;  ///< RFC 6901; of a removed value in the old document, else in the new one
  kind what = kind::changed;
  std::string before;  ///< compact JSON; empty when added
  std::string after;   ///< compact JSON; empty when removed

  bool operator==(const spec_change&) const = default;
};

/// From `before` to `after`, in the order of the documents; empty when they are equal in meaning. The order of keys is
/// not looked at, numbers are compared by their text. In arrays an element that moved is removed and added; objects and
/// arrays that stand against each other are compared within.
BERTH_DECL std::vector<spec_change> diff_specs(const spec_builder& before, const spec_builder& after);

/// "+ /mounts/3 {…}", "- /hostname "x"", "~ /process/cwd "/" -> "/srv"", one change a line.
BERTH_DECL std::string format_diff(const std::vector<spec_change>& changes);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/diff.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
// Paths that the container must not see: files are covered by /dev/null, directories by an empty read-only tmpfs.
#pragma once

#include <berth/spec/spec_builder.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// `/linux/maskedPaths`. A handle on a builder, which must outlive it.
class spec_masked_paths {
 public:
  explicit spec_masked_paths(spec_builder& spec) noexcept : spec_(spec) {}

  BERTH_DECL std::vector<std::string> list() const;
  BERTH_DECL result<void> remove(std::span<const std::string_view> paths);

 private:
  spec_builder& spec_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/masked_paths.ipp>
#endif

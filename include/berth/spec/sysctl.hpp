// SPDX-License-Identifier: Apache-2.0
// Kernel parameters that are set in the container's own namespaces.
#pragma once

#include <berth/spec/spec_builder.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth {

/// `/linux/sysctl`. A handle on a builder, which must outlive it.
class spec_sysctl {
 public:
  explicit spec_sysctl(spec_builder& spec) noexcept : spec_(spec) {}

  /// Names and values, in their order.
  BERTH_DECL std::vector<std::pair<std::string, std::string>> list() const;
  BERTH_DECL result<void> remove(std::string_view name);

 private:
  spec_builder& spec_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/sysctl.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
// Annotations: free keys and values. gVisor and containerd read some, such as dev.gvisor.spec.mount.* hints.
#pragma once

#include <berth/spec/spec_builder.hpp>

#include <optional>
#include <string>

namespace berth {

/// `/annotations`. Keys are told apart by case; none is empty (`invalid`). A handle on a builder, which must outlive
/// it.
class spec_annotations {
 public:
  explicit spec_annotations(spec_builder& spec) noexcept : spec_(spec) {}

  BERTH_DECL result<void> set(std::string_view key, std::string_view value);
  BERTH_DECL result<void> add(std::string_view key, std::string_view value);  ///< unless the key is there
  BERTH_DECL result<void> remove(std::string_view key);
  BERTH_DECL result<void> clear();
  BERTH_DECL std::optional<std::string> get(std::string_view key) const;

 private:
  spec_builder& spec_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/annotations.ipp>
#endif

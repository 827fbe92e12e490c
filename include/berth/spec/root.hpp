// SPDX-License-Identifier: Apache-2.0
// The container's root file system.
#pragma once

#include <berth/spec/spec_builder.hpp>

namespace berth {

/// `/root`. A handle on a builder, which must outlive it.
class spec_root {
 public:
  explicit spec_root(spec_builder& spec) noexcept : spec_(spec) {}

  /// An absolute path, or one relative to the bundle. Not empty: `spec_path`; spec_nul, spec_syntax.
  BERTH_DECL result<void> set_path(std::string_view path);
  BERTH_DECL result<void> set_readonly(bool on);
  BERTH_DECL result<void> clear();  ///< takes the whole section away

  BERTH_DECL std::string path() const;  ///< empty when there is none
  BERTH_DECL bool readonly() const;

 private:
  spec_builder& spec_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/root.ipp>
#endif

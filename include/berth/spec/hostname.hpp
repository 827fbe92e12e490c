// SPDX-License-Identifier: Apache-2.0
// The container's host name.
#pragma once

#include <berth/spec/spec_builder.hpp>

namespace berth {

/// `/hostname`. A handle on a builder, which must outlive it.
class spec_hostname {
 public:
  explicit spec_hostname(spec_builder& spec) noexcept : spec_(spec) {}

  /// At most 64 bytes (Linux's HOST_NAME_MAX), not empty: `invalid`; spec_nul, spec_syntax. runsc wants a uts namespace
  /// with it.
  BERTH_DECL result<void> set(std::string_view name);
  BERTH_DECL result<void> clear();
  BERTH_DECL std::string get() const;  ///< empty when there is none

 private:
  spec_builder& spec_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/hostname.ipp>
#endif

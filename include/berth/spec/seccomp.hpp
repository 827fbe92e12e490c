// SPDX-License-Identifier: Apache-2.0
// The system call filter. runsc leaves it alone unless it is started with --oci-seccomp.
#pragma once

#include <berth/spec/spec_builder.hpp>

#include <string>
#include <vector>

namespace berth {

/// `/linux/seccomp`. A handle on a builder, which must outlive it.
class spec_seccomp {
 public:
  explicit spec_seccomp(spec_builder& spec) noexcept : spec_(spec) {}

  /// A whole profile as JSON, in place of what is there; checked as a spec is checked, with pointers from the spec's
  /// root.
  BERTH_DECL result<void> set(std::string_view profile);

  /// One more rule, without argument conditions, unless this very rule is there. The profile must exist (`state`).
  /// Names not empty and of letters, digits and `_`; the action one of SCMP_ACT_*: `invalid`.
  BERTH_DECL result<void> add(const std::vector<std::string>& syscalls, std::string_view action);

  /// Takes a system call out of every rule, and the rules away that name none then.
  BERTH_DECL result<void> remove(std::string_view syscall);

  BERTH_DECL result<void> clear();  ///< takes the section away: no filter

  BERTH_DECL bool present() const;

 private:
  spec_builder& spec_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/seccomp.ipp>
#endif

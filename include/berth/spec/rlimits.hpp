// SPDX-License-Identifier: Apache-2.0
// The resource limits (setrlimit) of the container's process.
#pragma once

#include <berth/spec/spec_builder.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace berth {

struct spec_rlimit {
  std::string type = {};   ///< "RLIMIT_NOFILE" and so on
  std::uint64_t soft = 0;  ///< UINT64_MAX: no limit
  std::uint64_t hard = 0;

  bool operator==(const spec_rlimit&) const = default;
};

/// `/process/rlimits`. A type that Linux does not have, or a soft limit above the hard one, is `invalid`. A handle on a
/// builder, which must outlive it.
class spec_rlimits {
 public:
  explicit spec_rlimits(spec_builder& spec) noexcept : spec_(spec) {}

  BERTH_DECL result<void> set(const spec_rlimit& limit);  ///< in place of every one of its type
  BERTH_DECL result<void> add(const spec_rlimit& limit);  ///< unless its type is there
  BERTH_DECL result<void> remove(std::string_view type);
  BERTH_DECL result<void> clear();
  BERTH_DECL std::vector<spec_rlimit> list() const;

 private:
  spec_builder& spec_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/rlimits.ipp>
#endif

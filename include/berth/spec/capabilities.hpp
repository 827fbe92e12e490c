// SPDX-License-Identifier: Apache-2.0
// The capability sets of the container's process.
#pragma once

#include <berth/spec/spec_builder.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// Sets of capabilities(7); a value can name several.
enum class capability_sets : unsigned {
  bounding = 1,
  effective = 2,
  permitted = 4,
  inheritable = 8,
  ambient = 16,
  usual = 15,  ///< all but ambient: what a container with rights gets
  all = 31,
};
constexpr capability_sets operator|(capability_sets a, capability_sets b) {
  return static_cast<capability_sets>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

/// A name in a spec that is no capability of the Linux that berth was written for, and where it stands.
struct unknown_capability {
  std::string name;
  std::string pointer;  ///< such as /process/capabilities/bounding/3

  bool operator==(const unknown_capability&) const = default;
};

/// `/process/capabilities`. Names are given with or without the prefix CAP_, in capitals; one that berth does not know is
/// `spec_capability`. A spec that is read may have such names: they are kept, as runtime-spec wants it. What stays keeps
/// its order; what is added comes behind it; in a set that is added to or set, each known name is there once. A handle on
/// a builder, which must outlive it.
class spec_capabilities {
 public:
  explicit spec_capabilities(spec_builder& spec) noexcept : spec_(spec) {}

  BERTH_DECL result<void> set(std::span<const std::string_view> names, capability_sets sets = capability_sets::usual);
  BERTH_DECL result<void> add(std::span<const std::string_view> names, capability_sets sets = capability_sets::usual);
  BERTH_DECL result<void> remove(std::span<const std::string_view> names, capability_sets sets = capability_sets::all);
  BERTH_DECL result<void> clear(capability_sets sets = capability_sets::all);

  /// One set, or the first of those named.
  BERTH_DECL std::vector<std::string> get(capability_sets set) const;

  /// The names that berth does not know, in the order of the sets. runsc starts nothing with a name that it does not know.
  BERTH_DECL std::vector<unknown_capability> unknown() const;

 private:
  spec_builder& spec_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/capabilities.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
// The environment of the container's process.
#pragma once

#include <berth/spec/spec_builder.hpp>

#include <optional>
#include <string>
#include <vector>

namespace berth {

/// `/process/env`. A name is not empty and has no `=`: `invalid`; spec_nul, spec_syntax. A handle on a builder, which
/// must outlive it.
class spec_env {
 public:
  explicit spec_env(spec_builder& spec) noexcept : spec_(spec) {}

  /// Where the name is there it is replaced in its place, and later ones of that name are taken away.
  BERTH_DECL result<void> set(std::string_view name, std::string_view value);
  BERTH_DECL result<void> add(std::string_view name, std::string_view value);  ///< unless the name is there
  BERTH_DECL result<void> remove(std::string_view name);
  BERTH_DECL result<void> clear();

  /// Of the last one of that name: it wins in gVisor.
  BERTH_DECL std::optional<std::string> get(std::string_view name) const;
  BERTH_DECL std::vector<std::string> list() const;  ///< "NAME=value" in order

 private:
  spec_builder& spec_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/env.ipp>
#endif

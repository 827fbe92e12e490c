// SPDX-License-Identifier: Apache-2.0
// The namespaces that the container gets or joins.
#pragma once

#include <berth/spec/spec_builder.hpp>

#include <optional>
#include <string>
#include <vector>

namespace berth {

struct spec_namespace {
  std::string type = {};  ///< "pid", "network", "mount", "ipc", "uts", "user", "cgroup" or "time"
  std::string path = {};  ///< a namespace to join, absolute; empty: a new one

  bool operator==(const spec_namespace&) const = default;
};

/// `/linux/namespaces`. An unknown type is `invalid`, a relative path spec_path. A handle on a builder, which must
/// outlive it.
class spec_namespaces {
 public:
  explicit spec_namespaces(spec_builder& spec) noexcept : spec_(spec) {}

  BERTH_DECL result<void> set(const spec_namespace& ns);  ///< in place of every one of its type
  BERTH_DECL result<void> add(const spec_namespace& ns);  ///< unless its type is there
  BERTH_DECL result<void> remove(std::string_view type);
  BERTH_DECL result<void> clear();
  BERTH_DECL std::optional<spec_namespace> get(std::string_view type) const;
  BERTH_DECL std::vector<spec_namespace> list() const;

 private:
  spec_builder& spec_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/namespaces.ipp>
#endif

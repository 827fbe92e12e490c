// SPDX-License-Identifier: Apache-2.0
// The object behind a berth_spec.
#pragma once

#include "guard.hpp"

#include <berth/spec/spec_builder.hpp>

namespace berth::capi {

struct spec_object final : handle_object {
  static constexpr handle_kind kind = handle_kind::spec;
  static constexpr handle_use use = handle_use::exclusive;
  explicit spec_object(spec_builder s) : spec(std::move(s)) {}
  spec_builder spec;
};

}  // namespace berth::capi

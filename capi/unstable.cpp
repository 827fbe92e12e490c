// SPDX-License-Identifier: Apache-2.0
#define BERTH_UNSTABLE
#include <berth_unstable.h>

#include "detail/handle.hpp"

#include <cstring>

uint64_t berth_unstable_live_handles(const char* kind) {
  if (kind == nullptr) return 0;
  for (int k = 1; k < static_cast<int>(berth::capi::handle_kind::count); ++k) {
    const auto each = static_cast<berth::capi::handle_kind>(k);
    if (std::strcmp(berth::capi::handle_kind_name(each), kind) == 0) return berth::capi::handle_live(each);
  }
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "detail/guard.hpp"

#include <berth/base/clock.hpp>

#include <string>
#include <string_view>

uint32_t berth_version(void) { return BERTH_VERSION_MAJOR << 24 | BERTH_VERSION_MINOR << 16 | BERTH_VERSION_PATCH; }

const char* berth_version_string(void) { return BERTH_VERSION_STRING; }

berth_status berth_abi_check(uint32_t compiled, berth_error** err) {
  return berth::capi::guard(err, [&]() -> berth::result<void> {
    if (compiled == BERTH_ABI_VERSION) return {};
    return berth::make_error(berth::errc::unsupported, "capi",
                             "the program was built for ABI " + std::to_string(compiled) + ", this libberth (" +
                                 BERTH_VERSION_STRING + ") has ABI " + std::to_string(BERTH_ABI_VERSION),
                             {}, "install the libberth that the program was built for, or build it anew");
  });
}

int32_t berth_feature(const char* name) {
  if (name == nullptr) return 0;
  for (const std::string_view feature : {"spec", "runsc", "loop", "executor", "daemon", "sandbox"}) {
    if (feature == name) return 1;
  }
  return 0;
}

uint64_t berth_now_ns(void) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(berth::clock::now().time_since_epoch()).count());
}

// SPDX-License-Identifier: Apache-2.0
// What runsc prints as JSON, from a runsc that could be anything.
#include <berth/runsc/state.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto state = berth::parse_runsc_state(text); !state && state.error().message.empty()) std::abort();
  if (const auto state = berth::parse_runsc_state(text); state && state->pid < 0) std::abort();
  if (const auto list = berth::parse_runsc_list(text); !list && list.error().code != berth::errc::runsc_output)
    std::abort();
  if (const auto pids = berth::parse_runsc_ps(text); pids && pids->size() > size) std::abort();
  if (const auto stats = berth::parse_runsc_stats(text); !stats && stats.error().code != berth::errc::runsc_output)
    std::abort();
  if (const auto ended = berth::parse_runsc_wait(text); !ended && ended.error().code != berth::errc::runsc_output)
    std::abort();
  return 0;
}

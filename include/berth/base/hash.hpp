// SPDX-License-Identifier: Apache-2.0
// Short names and checksums from text. Not for what somebody might forge.
#pragma once

#include <cstdint>
#include <string_view>

namespace berth {

/// FNV-1a, 64 bits.
constexpr std::uint64_t fnv1a(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

}  // namespace berth

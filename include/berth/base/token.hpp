// SPDX-License-Identifier: Apache-2.0
// Names that nobody else has.
#pragma once

#include <berth/config.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace berth {

/// What tokens are made of: 32 characters that file names, network links and container ids take, in lower case alone.
inline constexpr std::string_view token_letters = "abcdefghijklmnopqrstuvwxyz234567";

/// `size` of them drawn by the kernel, 5 bits each.
BERTH_DECL std::string random_token(std::size_t size);

/// `size` of them from the low bits of `number`, at most 12.
BERTH_DECL std::string token_of(std::uint64_t number, std::size_t size);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/base/token.ipp>
#endif

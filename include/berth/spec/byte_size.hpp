// SPDX-License-Identifier: Apache-2.0
// Sizes as people write them: 512Mi, 2Gi, 2g.
#pragma once

#include <berth/base/result.hpp>

#include <cstdint>
#include <string_view>

namespace berth {

/// Bytes. A whole number, then nothing or b; Ki, Mi, Gi, Ti (Kubernetes) or these with a B, powers of 1024; m, g, t as
/// Docker writes them, the same powers. K, M, G, T and k are powers of 1024 to Docker and of 1000 to Kubernetes: they are
/// refused, with both in the hint. So is anything else, 0, and what is beyond INT64_MAX. Errors: invalid.
BERTH_DECL result<std::uint64_t> parse_byte_size(std::string_view text);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/byte_size.ipp>
#endif

// Sizes as people write them: 512Mi, 2Gi, 1500M.
#pragma once

#include <berth/base/result.hpp>

#include <cstdint>
#include <string_view>

namespace berth {

/// Bytes. A whole number, then nothing, or Ki, Mi, Gi, Ti (powers of 1024), or k, K, M, G, T (powers of 1000), as
/// Kubernetes reads them. Anything else, 0, and what is beyond INT64_MAX is `invalid`.
BERTH_DECL result<std::uint64_t> parse_byte_size(std::string_view text);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/byte_size.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
// Container ids.
#pragma once

#include <berth/base/result.hpp>

#include <string_view>

namespace berth {

/// Ids that runsc takes: `[A-Za-z0-9_][A-Za-z0-9_.+-]{0,1023}`; else spec_id.
BERTH_DECL result<void> check_container_id(std::string_view id);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/id.ipp>
#endif

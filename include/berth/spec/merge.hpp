// SPDX-License-Identifier: Apache-2.0
// Many changes at once, as a JSON merge patch.
#pragma once

#include <berth/spec/spec_builder.hpp>

#include <string_view>

namespace berth {

/// Merges `patch`, the text of a JSON object, into the spec by RFC 7396: an object is merged member by member, null
/// takes a member away, anything else (arrays too) replaces what was there. Members that stay keep their place, their
/// text and what is unknown in them; new ones come last. The patch and the outcome are checked as `spec_builder::parse`
/// does; on an error, whose pointer is one of the patch or of the outcome, the spec stays as it was. Costs about one
/// parse of the spec.
BERTH_DECL result<void> merge_spec(spec_builder& spec, std::string_view patch);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/merge.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/text.hpp>
#include <berth/spec/id.hpp>

#include <algorithm>

namespace berth {

BERTH_DECL result<void> check_container_id(std::string_view id) {
  const auto rest = [](char c) { return is_word_character(c) || c == '.' || c == '+' || c == '-'; };
  if (!id.empty() && id.size() <= 1024 && is_word_character(id.front()) && std::all_of(id.begin(), id.end(), rest))
    return {};
  return make_error(errc::spec_id, "spec", "not a container id that runsc takes", {},
                    "1 to 1024 letters, digits, `_`, `.`, `+` or `-`, the first of them a letter, a digit or `_`");
}

}  // namespace berth

#pragma once

#include <berth/spec/id.hpp>

#include <algorithm>

namespace berth {

BERTH_DECL result<void> check_container_id(std::string_view id) {
  const auto word = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  const auto rest = [&](char c) { return word(c) || c == '.' || c == '+' || c == '-'; };
  if (!id.empty() && id.size() <= 1024 && word(id.front()) && std::all_of(id.begin(), id.end(), rest)) return {};
  return make_error(errc::spec_id, "spec", "not a container id that runsc takes", {},
                    "1 to 1024 letters, digits, `_`, `.`, `+` or `-`, the first of them a letter, a digit or `_`");
}

}  // namespace berth

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/spec/detail/free_json.hpp>

#include <string>

BERTH_HIDDEN_BEGIN
namespace berth::detail {

BERTH_DECL result<const json_value*> parse_free_json(json_document& document, std::string_view json) {
  // Beneath a name that runtime-spec does not have, the scan knows no schema.
  static constexpr std::string_view name = "berth.value";
  std::string wrapped;
  wrapped.reserve(json.size() + name.size() + 8);
  wrapped.append("{\"").append(name).append("\":").append(json).append("}");
  if (auto parsed = document.parse(wrapped); !parsed) {
    error why = std::move(parsed).error();
    if (std::string_view(why.path).substr(0, 1 + name.size()) == "/" + std::string(name)) {
      why.path.erase(0, 1 + name.size());
    }
    return why;
  }
  // A text such as `1, "more": 2` would close the wrapper's value early.
  if (document.root.MemberCount() != 1)
    return make_error(errc::spec_syntax, "spec", "there is text after the end of the JSON value", {}, "keep one value");
  return &document.root.MemberBegin()->value;
}

}  // namespace berth::detail
BERTH_HIDDEN_END

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/impl/spec/capabilities.ipp>
#include <berth/spec/detail/document.hpp>
#include <berth/spec/detail/free_json.hpp>
#include <berth/spec/detail/member_index.hpp>
#include <berth/spec/merge.hpp>

#include <algorithm>
#include <vector>

BERTH_HIDDEN_BEGIN
namespace berth {
namespace detail {

/// Appends `base` changed by `patch`; base may be null. Recursion is bounded by the scan's limit on depth.
inline void write_merged(std::string& out, const json_value* base, const json_value& patch) {
  if (!patch.IsObject()) return write_json(out, patch, 0);
  out += '{';
  bool first = true;
  const auto name = [&](const json_value& key) {
    if (!first) out += ',';
    first = false;
    write_json(out, key, 0);
    out += ':';
  };
  if (base != nullptr && !base->IsObject()) base = nullptr;
  if (base != nullptr) {
    member_index changes(patch);
    for (auto m = base->MemberBegin(); m != base->MemberEnd(); ++m) {
      const json_value* const change = changes.find(text_of(m->name));
      if (change == nullptr) {
        name(m->name);
        write_json(out, m->value, 0);
      } else if (!change->IsNull()) {
        name(m->name);
        write_merged(out, &m->value, *change);
      }
    }
  }
  const json_value nothing(rapidjson::kObjectType);
  member_index there(base != nullptr ? *base : nothing);
  for (auto m = patch.MemberBegin(); m != patch.MemberEnd(); ++m) {
    if (m->value.IsNull() || there.find(text_of(m->name)) != nullptr) continue;
    name(m->name);
    write_merged(out, nullptr, m->value);
  }
  out += '}';
}

/// A capability that berth does not know may stay where it was, but is not brought in.
inline result<void> require_known_capabilities(spec_builder& before, spec_builder& after) {
  std::vector<unknown_capability> there = spec_capabilities(before).unknown();
  const auto by_name = [](const unknown_capability& a, const unknown_capability& b) { return a.name < b.name; };
  std::sort(there.begin(), there.end(), by_name);
  for (const unknown_capability& one : spec_capabilities(after).unknown())
    if (!std::binary_search(there.begin(), there.end(), one, by_name))
      return unknown_capability_error(one.name, one.pointer);
  return {};
}

}  // namespace detail

BERTH_DECL result<void> merge_spec(spec_builder& spec, std::string_view patch) {
  try {
    // Free of schema: in a patch null may stand where the spec has no use for it. The outcome is checked in full.
    detail::json_document change;
    auto parsed = detail::parse_free_json(change, patch);
    if (!parsed) return std::move(parsed).error();
    if (!(*parsed)->IsObject())
      return make_error(errc::spec_type, "spec", "a merge patch is a JSON object", {}, "give the members to change");
    std::string text;
    detail::write_merged(text, &spec.document().root, **parsed);
    auto merged = spec_builder::parse(text);
    if (!merged) return std::move(merged).error();
    BERTH_TRY(detail::require_known_capabilities(spec, *merged));
    spec = std::move(*merged);
    return {};
  } catch (const std::bad_alloc&) {
    return detail::out_of_memory();
  } catch (const detail::rapidjson_assertion& failed) {
    return make_error(errc::internal, "spec", std::string("rapidjson: ") + failed.condition);
  }
}

}  // namespace berth
BERTH_HIDDEN_END

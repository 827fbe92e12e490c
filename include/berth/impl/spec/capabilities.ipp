// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/impl/spec/text_checks.ipp>
#include <berth/spec/capabilities.hpp>
#include <berth/spec/detail/section.hpp>

#include <algorithm>
#include <cstdint>

BERTH_HIDDEN_BEGIN
namespace berth {
namespace detail {

struct capability_set_name {
  capability_sets set;
  std::string_view key;
};
// In the order in which runtime-spec has them.
inline constexpr capability_set_name capability_set_names[] = {
    {capability_sets::bounding, "bounding"},       {capability_sets::effective, "effective"},
    {capability_sets::inheritable, "inheritable"}, {capability_sets::permitted, "permitted"},
    {capability_sets::ambient, "ambient"},
};

inline bool names_set(capability_sets sets, capability_sets one) {
  return (static_cast<unsigned>(sets) & static_cast<unsigned>(one)) != 0;
}

/// With the prefix and checked; a short string that lives on the stack of the caller.
struct capability_name {
  char text[40];
  std::size_t size = 0;
  std::string_view view() const { return {text, size}; }
};

inline error unknown_capability_error(std::string_view name, std::string_view pointer) {
  return spec_error(errc::spec_capability, "not the name of a Linux capability: " + std::string(name.substr(0, 64)),
                    pointer, "write it in capitals, such as CAP_NET_ADMIN");
}

inline result<capability_name> canonical_capability(std::string_view name) {
  capability_name out;
  constexpr std::string_view prefix = "CAP_";
  const std::string_view bare = name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  if (bare.size() < sizeof out.text - prefix.size()) {
    prefix.copy(out.text, prefix.size());
    bare.copy(out.text + prefix.size(), bare.size());
    out.size = prefix.size() + bare.size();
  }
  if (!is_capability(out.view())) return unknown_capability_error(name, "/process/capabilities");
  return out;
}

/// One bit a capability; none for a name that is not known, which is therefore never taken for one that is there.
static_assert(capability_count <= 64);
inline std::uint64_t capability_bit(std::string_view name) {
  const int index = capability_index(name);
  return index < 0 ? 0 : std::uint64_t{1} << index;
}

/// What is there, each once, then those of `names` that are missing.
inline void add_capabilities(json_document& d, json_value& array, std::span<const capability_name> names) {
  std::uint64_t there = 0;
  bool doubled = false;
  for (const json_value& v : array.GetArray()) {
    const std::uint64_t bit = capability_bit(text_of(v));
    doubled = doubled || (there & bit) != 0;
    there |= bit;
  }
  if (doubled) {
    std::uint64_t seen = 0;
    json_value fresh(rapidjson::kArrayType);
    for (const json_value& v : array.GetArray()) {
      const std::uint64_t bit = capability_bit(text_of(v));
      if ((seen & bit) == 0) fresh.PushBack(same_value(v), d.memory);
      seen |= bit;
    }
    assign(d, array, std::move(fresh));
  }
  bool touched = false;
  for (const capability_name& name : names) {
    const std::uint64_t bit = capability_bit(name.view());
    if ((there & bit) != 0) continue;
    there |= bit;
    if (!touched) {
      touched = true;
      d.touch(array);
      array.Reserve(array.Size() + static_cast<rapidjson::SizeType>(names.size()), d.memory);
    }
    array.PushBack(d.string(name.view()), d.memory);
  }
}

}  // namespace detail

BERTH_DECL result<void> spec_capabilities::set(std::span<const std::string_view> names, capability_sets sets) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::json_value wanted(detail::rapidjson::kArrayType);
    std::uint64_t seen = 0;
    for (std::string_view name : names) {
      result<detail::capability_name> known = detail::canonical_capability(name);
      if (!known) return std::move(known).error();
      const std::uint64_t bit = detail::capability_bit(known->view());
      if ((seen & bit) == 0) wanted.PushBack(d.string(known->view()), d.memory);
      seen |= bit;
    }
    detail::json_value& process = detail::ensure_object(d, d.root, "process");
    detail::json_value& capabilities = detail::ensure_object(d, process, "capabilities");
    for (const auto& [set, key] : detail::capability_set_names)
      if (detail::names_set(sets, set)) detail::set_value(d, capabilities, key, detail::deep_copy(d, wanted));
    return {};
  });
}

BERTH_DECL result<void> spec_capabilities::add(std::span<const std::string_view> names, capability_sets sets) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    std::vector<detail::capability_name> known;
    known.reserve(names.size());
    for (std::string_view name : names) {
      result<detail::capability_name> one = detail::canonical_capability(name);
      if (!one) return std::move(one).error();
      known.push_back(*one);
    }
    detail::json_value& process = detail::ensure_object(d, d.root, "process");
    detail::json_value& capabilities = detail::ensure_object(d, process, "capabilities");
    for (const auto& [set, key] : detail::capability_set_names)
      if (detail::names_set(sets, set)) detail::add_capabilities(d, detail::ensure_array(d, capabilities, key), known);
    return {};
  });
}

BERTH_DECL result<void> spec_capabilities::remove(std::span<const std::string_view> names, capability_sets sets) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    std::vector<detail::capability_name> known;
    for (std::string_view name : names) {
      result<detail::capability_name> one = detail::canonical_capability(name);
      if (!one) return std::move(one).error();
      known.push_back(*one);
    }
    detail::json_value* const process = detail::find_member(&d.root, "process");
    detail::json_value* const capabilities = detail::find_member(process, "capabilities");
    for (const auto& [set, key] : detail::capability_set_names) {
      detail::json_value* const array = detail::find_member(capabilities, key);
      if (!detail::names_set(sets, set) || array == nullptr || !array->IsArray()) continue;
      detail::filter_array(d, *array, [&](const detail::json_value& v) {
        return std::none_of(known.begin(), known.end(),
                            [&](const auto& name) { return name.view() == detail::text_of(v); });
      });
    }
    return {};
  });
}

BERTH_DECL result<void> spec_capabilities::clear(capability_sets sets) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    if (sets == capability_sets::all) {
      detail::remove_from(d, "process", "capabilities");
      return {};
    }
    detail::json_value* const process = detail::find_member(&d.root, "process");
    detail::json_value* const capabilities = detail::find_member(process, "capabilities");
    if (capabilities == nullptr || !capabilities->IsObject()) return {};
    for (const auto& [set, key] : detail::capability_set_names)
      if (detail::names_set(sets, set)) detail::remove_member(d, *capabilities, key);
    return {};
  });
}

BERTH_DECL std::vector<std::string> spec_capabilities::get(capability_sets set) const {
  const detail::json_value* const process = detail::find_member(&spec_.document().root, "process");
  const detail::json_value* const capabilities = detail::find_member(process, "capabilities");
  for (const auto& [one, key] : detail::capability_set_names)
    if (detail::names_set(set, one)) return detail::string_list(detail::find_member(capabilities, key));
  return {};
}

BERTH_DECL std::vector<unknown_capability> spec_capabilities::unknown() const {
  std::vector<unknown_capability> out;
  const detail::json_value* const process = detail::find_member(&spec_.document().root, "process");
  const detail::json_value* const capabilities = detail::find_member(process, "capabilities");
  for (const auto& [set, key] : detail::capability_set_names) {
    const detail::json_value* const names = detail::find_member(capabilities, key);
    if (names == nullptr || !names->IsArray()) continue;
    for (detail::rapidjson::SizeType i = 0; i < names->Size(); ++i) {
      const std::string_view name = detail::text_of((*names)[i]);
      if (!detail::is_capability(name))
        out.push_back({std::string(name), "/process/capabilities/" + std::string(key) + '/' + std::to_string(i)});
    }
  }
  return out;
}

}  // namespace berth
BERTH_HIDDEN_END

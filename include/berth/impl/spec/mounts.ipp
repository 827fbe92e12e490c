// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/impl/spec/text_checks.ipp>
#include <berth/spec/detail/section.hpp>
#include <berth/spec/mounts.hpp>

#include <algorithm>
#include <cstdio>

BERTH_HIDDEN_BEGIN
namespace berth {
namespace detail {

/// How one cleaned path stands to another.
enum class path_relation { apart, same, above, beneath };

/// Of `path`, not cleaned, to `base`, cleaned: no memory is needed for it.
inline path_relation relation_to(std::string_view path, std::string_view base) {
  std::size_t at = 0;
  std::size_t base_at = 0;
  for (;;) {
    std::string_view part = next_component(path, at);
    while (part == ".") part = next_component(path, at);
    const std::string_view base_part = next_component(base, base_at);
    if (part.empty()) return base_part.empty() ? path_relation::same : path_relation::above;
    if (base_part.empty()) return path_relation::beneath;
    if (part != base_part) return path_relation::apart;
  }
}

inline path_relation mount_relation(const json_value& mount, std::string_view destination) {
  const json_value* const there = find_member(&mount, "destination");
  if (there == nullptr || !is_text(*there)) return path_relation::apart;
  return relation_to(text_of(*there), destination);
}

inline result<void> require_mount(const spec_mount& mount) {
  BERTH_TRY(require_text(mount.destination, "/mounts"));
  BERTH_TRY(require_text(mount.type, "/mounts"));
  BERTH_TRY(require_text(mount.source, "/mounts"));
  for (const std::string& option : mount.options) BERTH_TRY(require_text(option, "/mounts"));
  if (const char* wrong = check_destination(mount.destination))
    return spec_error(errc::spec_path, std::string(wrong) + ": " + mount.destination, "/mounts",
                      "give the path as it is after cleaning");
  return {};
}

inline spec_mount read_mount(const json_value& v) {
  return {member_text(&v, "destination"), member_text(&v, "type"), member_text(&v, "source"),
          string_list(find_member(&v, "options"))};
}

inline bool same_mount(const json_value& v, const spec_mount& mount) {
  if (!member_is(&v, "destination", mount.destination)) return false;
  const json_value* const options = find_member(&v, "options");
  const std::size_t count = options != nullptr && options->IsArray() ? options->Size() : 0;
  if (count != mount.options.size()) return false;
  for (std::size_t i = 0; i < count; ++i)
    if (text_of((*options)[static_cast<rapidjson::SizeType>(i)]) != mount.options[i]) return false;
  const auto same = [&](std::string_view key, const std::string& text) {
    return text.empty() ? find_member(&v, key) == nullptr : member_is(&v, key, text);
  };
  return same("type", mount.type) && same("source", mount.source);
}

inline json_value make_mount(json_document& d, const spec_mount& mount) {
  json_value v(rapidjson::kObjectType);
  add_member(d, v, "destination", d.string(mount.destination));
  if (!mount.type.empty()) add_member(d, v, "type", d.string(mount.type));
  if (!mount.source.empty()) add_member(d, v, "source", d.string(mount.source));
  if (!mount.options.empty()) add_member(d, v, "options", string_array(d, mount.options));
  return v;
}

inline void set_mount(json_document& d, const spec_mount& mount) {
  json_value& mounts = ensure_array(d, d.root, "mounts");
  const rapidjson::SizeType count = mounts.Size();
  const rapidjson::SizeType none = count;
  rapidjson::SizeType first = none;        // the first mount at the destination
  rapidjson::SizeType behind_parents = 0;  // the place behind the last mount above it
  rapidjson::SizeType matches = 0;
  for (rapidjson::SizeType i = 0; i < count; ++i) {
    const path_relation relation = mount_relation(mounts[i], mount.destination);
    if (relation == path_relation::above) behind_parents = i + 1;
    if (relation == path_relation::same && ++matches == 1) first = i;
  }
  if (matches == 1 && first >= behind_parents && same_mount(mounts[first], mount)) return;
  if (matches == 1 && first >= behind_parents) {
    assign(d, mounts[first], make_mount(d, mount));
    return;
  }
  // Before the first at or beneath the destination that no mount above it hides.
  rapidjson::SizeType place = count;
  for (rapidjson::SizeType i = behind_parents; i < count && place == count; ++i) {
    const path_relation relation = mount_relation(mounts[i], mount.destination);
    if (relation == path_relation::same || (matches == 0 && relation == path_relation::beneath)) place = i;
  }
  json_value fresh(rapidjson::kArrayType);
  fresh.Reserve(count + 1, d.memory);
  const auto moves = [&](rapidjson::SizeType i) {  // was after the first one, would now be before the new one
    return i > first && i < place && mount_relation(mounts[i], mount.destination) == path_relation::beneath;
  };
  for (rapidjson::SizeType i = 0; i < place; ++i)
    if (mount_relation(mounts[i], mount.destination) != path_relation::same && !moves(i))
      fresh.PushBack(same_value(mounts[i]), d.memory);
  fresh.PushBack(make_mount(d, mount), d.memory);
  for (rapidjson::SizeType i = 0; i < place; ++i)
    if (moves(i)) fresh.PushBack(same_value(mounts[i]), d.memory);
  for (rapidjson::SizeType i = place; i < count; ++i)
    if (mount_relation(mounts[i], mount.destination) != path_relation::same)
      fresh.PushBack(same_value(mounts[i]), d.memory);
  assign(d, mounts, std::move(fresh));
}

}  // namespace detail

BERTH_DECL bool is_mount_path(std::string_view path) noexcept { return detail::check_destination(path) == nullptr; }

BERTH_DECL std::string clean_path(std::string_view path) {
  std::string out;
  const bool absolute = !path.empty() && path.front() == '/';
  for (std::size_t at = 0;;) {
    const std::string_view part = detail::next_component(path, at);
    if (part.empty()) break;
    if (part == ".") continue;
    if (absolute || !out.empty()) out += '/';
    out += part;
  }
  if (out.empty()) out = absolute ? "/" : ".";
  return out;
}

BERTH_DECL result<void> spec_mounts::set(const spec_mount& mount) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    BERTH_TRY(detail::require_mount(mount));
    spec_mount cleaned = mount;
    cleaned.destination = clean_path(mount.destination);
    detail::set_mount(d, cleaned);
    return {};
  });
}

BERTH_DECL result<void> spec_mounts::add(const spec_mount& mount) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    BERTH_TRY(detail::require_mount(mount));
    spec_mount cleaned = mount;
    cleaned.destination = clean_path(mount.destination);
    if (const std::optional<spec_mount> there = get(cleaned.destination)) {
      spec_mount same = *there;
      same.destination = clean_path(same.destination);
      if (same == cleaned) return {};
      return detail::spec_error(errc::exists, "another mount is at " + cleaned.destination, "/mounts",
                                "set it to replace that one");
    }
    detail::set_mount(d, cleaned);
    return {};
  });
}

BERTH_DECL result<void> spec_mounts::remove(std::string_view destination) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    if (const char* wrong = detail::check_destination(destination))
      return detail::spec_error(errc::spec_path, wrong, "/mounts", "give the path as it is after cleaning");
    const std::string cleaned = clean_path(destination);
    detail::json_value* const mounts = detail::find_member(&d.root, "mounts");
    if (mounts != nullptr && mounts->IsArray())
      detail::filter_array(d, *mounts, [&](const detail::json_value& v) {
        return detail::mount_relation(v, cleaned) != detail::path_relation::same;
      });
    return {};
  });
}

BERTH_DECL result<void> spec_mounts::clear() {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::remove_from(d, {}, "mounts");
    return {};
  });
}

BERTH_DECL std::optional<spec_mount> spec_mounts::get(std::string_view destination) const {
  std::optional<spec_mount> out;
  const std::string cleaned = clean_path(destination);
  const detail::json_value* const mounts = detail::find_member(&spec_.document().root, "mounts");
  if (mounts == nullptr || !mounts->IsArray()) return out;
  for (const detail::json_value& v : mounts->GetArray())
    if (detail::mount_relation(v, cleaned) == detail::path_relation::same) out = detail::read_mount(v);
  return out;
}

BERTH_DECL std::vector<spec_mount> spec_mounts::list() const {
  std::vector<spec_mount> out;
  const detail::json_value* const mounts = detail::find_member(&spec_.document().root, "mounts");
  if (mounts == nullptr || !mounts->IsArray()) return out;
  for (const detail::json_value& v : mounts->GetArray()) out.push_back(detail::read_mount(v));
  return out;
}

BERTH_DECL spec_mount bind_mount(std::string source, std::string destination, bool readonly) {
  return {std::move(destination), "bind", std::move(source), {"rbind", readonly ? "ro" : "rw"}};
}

BERTH_DECL spec_mount tmpfs_mount(std::string destination, std::uint64_t size, unsigned mode) {
  char octal[16];
  std::snprintf(octal, sizeof octal, "mode=%04o", mode & 07777u);
  spec_mount out{std::move(destination), "tmpfs", "tmpfs", {"rw", octal}};
  if (size != 0) out.options.push_back("size=" + std::to_string(size));
  return out;
}

}  // namespace berth
BERTH_HIDDEN_END

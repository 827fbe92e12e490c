// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/rooted.hpp>
#include <berth/base/text.hpp>
#include <berth/base/users.hpp>

#include <algorithm>
#include <optional>

namespace berth {

namespace detail {

inline std::optional<std::uint32_t> parse_id(std::string_view text) {
  const auto id = parse_number<std::uint32_t>(text);
  return id == ~std::uint32_t{0} ? std::nullopt : id;  // chown(2) takes it for "leave it"
}

/// The fields of the first line for which `wanted(fields)` is true, or of all when it collects and says false.
template <class Wanted>
bool find_entry(std::string_view text, std::size_t fields, Wanted&& wanted) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    std::vector<std::string_view> parts;
    for (;;) {
      const std::size_t colon = line.find(':');
      parts.push_back(line.substr(0, colon));
      if (colon == std::string_view::npos) break;
      line.remove_prefix(colon + 1);
    }
    if (parts.size() >= fields && wanted(parts)) return true;
  }
  return false;
}

}  // namespace detail

BERTH_DECL result<user_identity> resolve_user(std::string_view user, std::string_view passwd, std::string_view group) {
  const std::size_t colon = user.find(':');
  const std::string_view name = user.substr(0, colon);
  const std::string_view group_name = colon == std::string_view::npos ? std::string_view() : user.substr(colon + 1);
  if (name.empty() || (colon != std::string_view::npos && group_name.empty())) {
    return make_error(errc::invalid, "sandbox", "not a user", std::string(user),
                      "write uid, uid:gid, name or name:group");
  }
  user_identity found;
  std::string login;  // as passwd calls the user
  const auto uid = detail::parse_id(name);
  using fields = std::vector<std::string_view>;
  const bool known = detail::find_entry(passwd, 4, [&](const fields& f) {  // name:password:uid:gid:…
    const auto its_uid = detail::parse_id(f[2]);
    const auto its_gid = detail::parse_id(f[3]);
    if (!its_uid || !its_gid || (f[0] != name && (!uid || *uid != *its_uid))) return false;
    login = f[0];
    found.uid = *its_uid;
    found.gid = *its_gid;
    return true;
  });
  if (!known) {
    if (!uid) {
      return make_error(errc::not_found, "sandbox", "the root file system's /etc/passwd has no such user",
                        std::string(name), "a user that was added inside the sandbox goes by number: uid[:gid]");
    }
    found.uid = *uid;
  }
  if (!group_name.empty()) {
    const auto gid = detail::parse_id(group_name);
    const bool there = detail::find_entry(group, 3, [&](const fields& f) {  // name:password:gid:members
      const auto its_gid = detail::parse_id(f[2]);
      if (!its_gid || (f[0] != group_name && (!gid || *gid != *its_gid))) return false;
      found.gid = *its_gid;
      return true;
    });
    if (!there) {
      if (!gid) {
        return make_error(errc::not_found, "sandbox", "the root file system's /etc/group has no such group",
                          std::string(group_name), "a group that was added inside the sandbox goes by number");
      }
      found.gid = *gid;
    }
    return found;  // a group that was named stands alone, as with docker
  }
  if (!login.empty()) {
    detail::find_entry(group, 4, [&](const fields& f) {
      const auto gid = detail::parse_id(f[2]);
      std::string_view members = f[3];
      while (gid && !members.empty()) {
        const std::string_view member = members.substr(0, members.find(','));
        members.remove_prefix(std::min(members.size(), member.size() + 1));
        if (member == login && *gid != found.gid) {
          found.groups.push_back(*gid);
          break;
        }
      }
      return false;
    });
  }
  return found;
}

BERTH_DECL result<user_identity> find_user(std::string_view user, const std::string& rootfs) {
  constexpr std::size_t most = 1u << 20;
  auto root = rooted::open(rootfs, "sandbox");
  if (!root) return std::move(root).error();
  auto passwd = root->read("etc/passwd", most, "sandbox");
  if (!passwd) return std::move(passwd).error();
  auto group = root->read("etc/group", most, "sandbox");
  if (!group) return std::move(group).error();
  return resolve_user(user, *passwd, *group);
}

BERTH_DECL std::string home_of_user(std::uint32_t uid, std::string_view passwd) {
  std::string home = uid == 0 ? "/root" : "/";
  detail::find_entry(passwd, 6, [&](const std::vector<std::string_view>& f) {  // name:password:uid:gid:gecos:home
    if (detail::parse_id(f[2]) != uid || !f[5].starts_with('/')) return false;
    home = f[5];
    return true;
  });
  return home;
}

}  // namespace berth

#pragma once

#include <berth/base/unique_fd.hpp>
#include <berth/sandbox/detail/users.hpp>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

namespace berth::detail {

inline std::optional<std::uint32_t> parse_id(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || ec != std::errc() || end != text.data() + text.size() || value == ~std::uint32_t{0}) {
    return std::nullopt;
  }
  return value;
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

BERTH_DECL result<sandbox_user> resolve_user(std::string_view user, std::string_view passwd, std::string_view group) {
  const std::size_t colon = user.find(':');
  const std::string_view name = user.substr(0, colon);
  const std::string_view group_name = colon == std::string_view::npos ? std::string_view() : user.substr(colon + 1);
  if (name.empty() || (colon != std::string_view::npos && group_name.empty())) {
    return make_error(errc::invalid, "sandbox", "not a user", std::string(user), "write uid, uid:gid, name or name:group");
  }
  sandbox_user found;
  std::string login;  // as passwd calls the user
  const auto uid = parse_id(name);
  using fields = std::vector<std::string_view>;
  const bool known = find_entry(passwd, 4, [&](const fields& f) {  // name:password:uid:gid:…
    const auto its_uid = parse_id(f[2]);
    const auto its_gid = parse_id(f[3]);
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
    const auto gid = parse_id(group_name);
    const bool there = find_entry(group, 3, [&](const fields& f) {  // name:password:gid:members
      const auto its_gid = parse_id(f[2]);
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
    find_entry(group, 4, [&](const fields& f) {
      const auto gid = parse_id(f[2]);
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

BERTH_DECL std::string read_inside(const std::string& rootfs, const std::string& path) {
  std::string text;
  const unique_fd root(::open(rootfs.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return text;
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const unique_fd fd(static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how)));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return text;
  char buffer[8192];
  while (text.size() < (1u << 20)) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

}  // namespace berth::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/hints.hpp>
#include <berth/sandbox/root_directory.hpp>

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

namespace berth {

BERTH_DECL result<std::string> resolve_root(const std::string& root) {
  const auto refuse = [](std::string message, std::string hint) {
    return make_error(errc::invalid, "sandbox", std::move(message), "root", std::move(hint));
  };
  if (root.empty() || root.front() != '/' || root.find('\0') != std::string::npos) {
    return refuse("berth's root directory must be an absolute path: " + root, "for instance /var/lib/berth");
  }
  std::error_code failed;
  std::string real = std::filesystem::weakly_canonical(root, failed).string();
  if (failed) real = root;  // whoever opens it says why it cannot be had
  while (real.size() > 1 && real.back() == '/') real.pop_back();
  // runsc reads the overlay's directory up to a comma or colon, and looks for its state by a shell pattern.
  if (real.find_first_of(",:*?[\\") != std::string::npos) {
    return refuse("berth's root directory has a character in it that runsc cannot take: " + real,
                  "choose one without , : * ? [ and backslash");
  }
  return real;
}

namespace detail {
// The longest socket is runsc's own: <root>/<id>/run/runsc-<token>.sock; docker's is <root>/<id>/shared/docker.sock.
inline constexpr std::size_t longest_root_and_id =
    sizeof(sockaddr_un::sun_path) - 1 - std::string_view("//run/runsc-.sock").size() - 13;
}  // namespace detail

BERTH_DECL std::size_t longest_id(const std::string& root) {
  return root.size() < detail::longest_root_and_id
             ? std::min<std::size_t>(detail::longest_root_and_id - root.size(), 63)
             : 0;
}

BERTH_DECL result<void> check_socket_paths(const std::string& root, std::string_view id) {
  const std::size_t id_size = id.empty() ? made_up_id_size : id.size();
  if (id_size <= longest_id(root) || id_size > 63) return {};
  std::string message = "root directory and id have " + std::to_string(root.size() + id_size) + " characters, and " +
                        std::to_string(detail::longest_root_and_id) +
                        " are the most: the path of a unix socket holds them: " + root + "/" +
                        std::string(id.empty() ? "<" + std::to_string(id_size) + " characters>" : id);
  std::string hint = hints::shorter_root();
  if (!id.empty() && longest_id(root) > 0) hint += ", or an id of at most " + std::to_string(longest_id(root));
  return make_error(errc::invalid, "sandbox", std::move(message), "id", std::move(hint));
}

BERTH_DECL result<std::string> find_root(const std::string& root) {
  auto resolved = resolve_root(root);
  if (!resolved) return resolved;
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(resolved->c_str(), nullptr), &::free);
  if (!real) return errno_error(errno, "sandbox", "cannot open berth's root directory", root, "berth needs root");
  struct stat info {};
  if (::stat(real.get(), &info) != 0) return errno_error(errno, "sandbox", "cannot open berth's root directory", root);
  if (!S_ISDIR(info.st_mode)) return errno_error(ENOTDIR, "sandbox", "berth's root is no directory", root);
  if (info.st_uid != ::geteuid() || (info.st_mode & 0022) != 0) {
    return make_error(errc::permission, "sandbox", "berth's root directory can be written to by others", real.get(),
                      "chown it to the user that runs berth and chmod 0700 it");
  }
  return std::string(real.get());
}

BERTH_DECL result<std::string> open_root(const std::string& given) {
  auto resolved = resolve_root(given);
  if (!resolved) return resolved;
  const std::string& root = *resolved;
  for (std::size_t at = 1; at != std::string::npos;) {
    at = root.find('/', at);
    const std::string part = root.substr(0, at);
    // Parents as any program makes them, the root itself for berth alone.
    const mode_t mode = at == std::string::npos ? 0700 : 0755;
    if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST) {
      return errno_error(errno, "sandbox", "cannot make berth's root directory", part, "berth needs root");
    }
    if (at != std::string::npos) at = root.find_first_not_of('/', at);
  }
  return find_root(root);
}

}  // namespace berth

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/rooted.hpp>
#include <berth/docker/versions.hpp>

#include <fcntl.h>
#include <sys/stat.h>

namespace berth {
namespace detail {

inline constexpr std::size_t largest_package_record = 64u << 20;

inline bool read_version_number(std::string_view& text, std::uint32_t& number) noexcept {
  std::size_t used = 0;
  std::uint64_t value = 0;
  while (used < text.size() && text[used] >= '0' && text[used] <= '9') {
    value = value * 10 + static_cast<std::uint64_t>(text[used] - '0');
    if (value > 0xffffffffu) return false;
    ++used;
  }
  if (used == 0) return false;
  number = static_cast<std::uint32_t>(value);
  text.remove_prefix(used);
  return true;
}

/// The first line of `text`, which is shortened by it.
inline std::string_view take_record_line(std::string_view& text) noexcept {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

inline void note_package(docker_versions& found, std::string_view name, std::string_view version) {
  if (name == "docker.io" || name == "docker-ce" || name == "moby-engine" || name == "docker-engine") {
    found.docker = parse_program_version(version);
  } else if (name == "containerd" || name == "containerd.io" || name == "moby-containerd") {
    found.containerd = parse_program_version(version);
  } else if (name == "runc" || name == "moby-runc") {
    found.runc = parse_program_version(version);
  }
}

}  // namespace detail

BERTH_DECL program_version parse_program_version(std::string_view text) noexcept {
  if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) text.remove_prefix(colon + 1);
  if (!text.empty() && text.front() == 'v') text.remove_prefix(1);
  program_version version;
  if (!detail::read_version_number(text, version.major)) return {};
  if (text.empty() || text.front() != '.') return version;
  text.remove_prefix(1);
  if (!detail::read_version_number(text, version.minor)) return version;
  if (text.empty() || text.front() != '.') return version;
  text.remove_prefix(1);
  if (!detail::read_version_number(text, version.patch)) version.patch = 0;
  return version;
}

BERTH_DECL docker_versions parse_dpkg_status(std::string_view status) {
  docker_versions found;
  std::string_view name, version;
  bool installed = false;
  const auto finish = [&] {
    if (installed) detail::note_package(found, name, version);
    name = version = {};
    installed = false;
  };
  while (!status.empty()) {
    const std::string_view line = detail::take_record_line(status);
    if (line.empty()) {
      finish();
    } else if (line.starts_with("Package: ")) {
      name = line.substr(9);
    } else if (line.starts_with("Version: ")) {
      version = line.substr(9);
    } else if (line.starts_with("Status: ")) {
      installed = line.ends_with(" installed");  // a removed package keeps an entry: "deinstall ok config-files"
    }
  }
  finish();
  return found;
}

BERTH_DECL docker_versions parse_apk_installed(std::string_view installed) {
  docker_versions found;
  std::string_view name, version;
  const auto finish = [&] {
    detail::note_package(found, name, version);
    name = version = {};
  };
  while (!installed.empty()) {
    const std::string_view line = detail::take_record_line(installed);
    if (line.empty()) {
      finish();
    } else if (line.starts_with("P:")) {
      name = line.substr(2);
    } else if (line.starts_with("V:")) {
      version = line.substr(2);
    }
  }
  finish();
  return found;
}

BERTH_DECL result<docker_versions> read_docker_versions(const std::string& rootfs) {
  auto root = rooted::open(rootfs, "docker");
  if (!root) return root.error();
  auto dpkg = root->read("var/lib/dpkg/status", detail::largest_package_record, "docker");
  if (!dpkg) return dpkg.error();
  docker_versions found = parse_dpkg_status(*dpkg);
  if (found.docker.known()) return found;
  auto apk = root->read("lib/apk/db/installed", detail::largest_package_record, "docker");
  if (!apk) return apk.error();
  const docker_versions other = parse_apk_installed(*apk);
  return other.docker.known() ? other : found;
}

BERTH_DECL result<bool> has_dockerd(const std::string& rootfs) {
  auto root = rooted::open(rootfs, "docker");
  if (!root) return root.error();
  for (const char* path : {"/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd", "/usr/local/sbin/dockerd",
                           "/bin/dockerd", "/sbin/dockerd"}) {
    const unique_fd fd = root->open_inside(path, O_PATH);
    struct stat info {};
    if (fd && ::fstat(fd.get(), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 0111) != 0) return true;
  }
  return false;
}

}  // namespace berth

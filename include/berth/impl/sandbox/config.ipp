// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/text.hpp>
#include <berth/base/utf8.hpp>
#include <berth/network/address.hpp>
#include <berth/sandbox/config.hpp>
#include <berth/spec/id.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#if !defined(BERTH_LIBEXEC_DIR)
#define BERTH_LIBEXEC_DIR "/usr/local/libexec/berth"
#endif

namespace berth {

namespace detail {

inline constexpr std::uint64_t least_memory = 64u << 20;

inline bool holds_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

inline error bad_config(std::string field, std::string message, std::string hint = {}) {
  return make_error(errc::invalid, "sandbox", std::move(message), std::move(field), std::move(hint));
}

/// What a record holds has to be read again from JSON.
inline bool is_record_text(std::string_view text) { return !holds_nul(text) && is_utf8(text); }

/// In all: of a record's 1 MiB they leave room for the rest also when each byte has to be escaped.
inline constexpr std::size_t most_annotations = 128u << 10;

inline result<void> check_annotations(const std::vector<std::pair<std::string, std::string>>& annotations) {
  std::size_t sum = 0;
  for (const auto& [key, value] : annotations) {
    if (!is_record_text(key) || !is_record_text(value)) {
      return bad_config("annotations", "an annotation must be UTF-8 without NUL");
    }
    sum += key.size() + value.size();
  }
  if (sum > most_annotations) return bad_config("annotations", "the annotations have more than 128 KiB in all");
  return {};
}

inline bool is_environment_entry(std::string_view entry) {
  const std::size_t equals = entry.find('=');
  return equals != std::string_view::npos && equals != 0 && !holds_nul(entry);
}

/// RFC 1123, or what Linux takes: letters, digits, dash, dot, underscore; at most 64 bytes.
inline bool is_hostname(std::string_view name) {
  if (name.empty() || name.size() > 64) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return is_word_character(c) || c == '-' || c == '.'; });
}

}  // namespace detail

BERTH_DECL environment environment::from(const std::vector<std::string>& env) {
  environment where;
  const auto take = [](std::string_view entry, std::string_view name, std::string& into) {
    if (entry.size() > name.size() + 1 && entry.starts_with(name) && entry[name.size()] == '=') {
      into = entry.substr(name.size() + 1);
    }
  };
  for (const std::string& entry : env) {
    take(entry, "BERTH_ROOT", where.root);
    take(entry, "BERTH_RUNSC", where.runsc);
    take(entry, "BERTH_INIT", where.init);
    take(entry, "BERTH_NETWORK_POOL", where.network_pool);
  }
  return where;
}

BERTH_DECL result<void> check_sandbox_id(std::string_view id) {
  const auto refuse = [&](const char* why) {
    return make_error(errc::invalid, "sandbox", std::string("not a sandbox id: ") + why, std::string(id),
                      "1 to 63 of A-Z a-z 0-9 _ . + -, the first a letter, a digit or _");
  };
  if (id.empty()) return refuse("it is empty");
  if (id.size() > 63) return refuse("it is longer than 63 characters");
  if (!check_container_id(id)) return refuse("a character that it cannot have");
  return {};
}

namespace detail {

BERTH_DECL std::optional<error> egress_obstacle(network_mode mode) {
  switch (mode) {
    case network_mode::sandbox: return std::nullopt;
    case network_mode::none:
      return make_error(errc::unsupported, "sandbox",
                        "egress rules go with the network mode `sandbox` only: this one has no network", "egress",
                        "leave them out: without a network nothing is reached");
    case network_mode::path:
      return make_error(
          errc::unsupported, "sandbox",
          "egress rules cannot be enforced here: the network namespace is the caller's, and so is what it is connected to",
          "egress", "filter where the namespace is connected, or use the network mode `sandbox`");
  }
  return std::nullopt;
}

}  // namespace detail

namespace detail {

BERTH_DECL result<void> check_hibernation(network_mode mode) {
  if (mode != network_mode::path) return {};
  return make_error(
      errc::unsupported, "sandbox",
      "a sandbox in a network namespace of its caller's does not hibernate: runsc has taken the addresses off the "
      "links there, and nobody knows them afterwards",
      "hibernate", "let it sleep in memory, or use the network mode `sandbox`");
}

BERTH_DECL result<void> check_idle_timeout(duration how_long, bool shared_directory) {
  if (how_long == duration::zero()) return {};
  if (how_long < seconds(1) || how_long > std::chrono::hours(24 * 24))
    return bad_config("idle_timeout", "a sandbox falls asleep after one second at the least, and 24 days at the most");
  if (!shared_directory)
    return bad_config("idle_timeout",
                      "a sandbox without a shared directory does not fall asleep: nothing could wake it");
  return {};
}

BERTH_DECL result<void> check_sleep(duration idle_timeout, bool hibernate, network_mode network,
                                    bool shared_directory) {
  BERTH_TRY(check_idle_timeout(idle_timeout, shared_directory));
  if (!hibernate) return {};
  if (idle_timeout == duration::zero())
    return bad_config("hibernate", "a sandbox hibernates when it falls asleep, which takes an idle timeout");
  if (auto possible = check_hibernation(network); !possible) {
    error e = std::move(possible).error();
    e.code = errc::invalid;
    return e;
  }
  return {};
}

}  // namespace detail

BERTH_DECL result<void> check_sandbox_config(const environment& where, const sandbox_config& what) {
  using detail::bad_config;
  const auto absolute = [](const std::string& path) {
    return !path.empty() && path.front() == '/' && !detail::holds_nul(path);
  };
  if (!absolute(where.root))
    return bad_config("root", "berth's root directory must be an absolute path: " + where.root);
  auto pool = parse_ipv4_subnet(where.network_pool);
  if (!pool) return std::move(pool).error();
  if (!what.id.empty()) BERTH_TRY(check_sandbox_id(what.id));
  if (!absolute(what.rootfs))
    return bad_config("rootfs", "the root file system must be an absolute path: " + what.rootfs);
  if (!is_utf8(what.rootfs)) return bad_config("rootfs", "the path of the root file system must be UTF-8");
  if (!is_utf8(what.network_path)) return bad_config("network", "the path of the network namespace must be UTF-8");
  if (what.network == network_mode::path && !absolute(what.network_path)) {
    return bad_config("network", "the network namespace must be an absolute path: " + what.network_path,
                      "for instance /run/netns/NAME");
  }
  if (what.network != network_mode::path && !what.network_path.empty()) {
    return bad_config("network", "a path to a network namespace goes with the mode `path` only");
  }
  if (what.network != network_mode::sandbox && what.max_connections) {
    return bad_config("max_connections", "a limit of connections goes with the network mode `sandbox` only");
  }
  if (!what.ports.empty() && what.network != network_mode::sandbox)
    return bad_config("ports", "published ports go with the network mode `sandbox` only");
  if (!what.host_ports.empty() && what.network != network_mode::sandbox)
    return bad_config("host_ports", "ports of this host go with the network mode `sandbox` only");
  if (what.egress) {
    if (auto obstacle = detail::egress_obstacle(what.network)) {
      obstacle->code = errc::invalid;
      return std::move(*obstacle);
    }
    BERTH_TRY(check_egress(*what.egress, *pool));
  }
  if (what.cpus != 0 && !(what.cpus >= 0.01 && what.cpus <= 4096)) {
    return bad_config("cpus", "the number of cpus must lie between 0.01 and 4096");
  }
  if (what.memory_bytes != 0 && what.memory_bytes < detail::least_memory) {
    return bad_config("memory", "less than 64 MiB: gVisor itself would not start");
  }
  if (what.memory_bytes > static_cast<std::uint64_t>(INT64_MAX)) return bad_config("memory", "more than 2^63-1 bytes");
  if (!what.hostname.empty() && !detail::is_hostname(what.hostname)) {
    return bad_config("hostname", "not a host name: " + what.hostname);
  }
  for (const std::string& entry : what.env) {
    if (!detail::is_environment_entry(entry)) return bad_config("env", "not of the form K=V: " + entry);
  }
  if (!absolute(what.cwd)) return bad_config("cwd", "the working directory must be an absolute path: " + what.cwd);
  for (const sandbox_mount& mount : what.mounts) {
    if (!absolute(mount.source))
      return bad_config("mounts", "a mount's source must be an absolute path: " + mount.source);
    if (!absolute(mount.destination) || mount.destination == "/") {
      return bad_config("mounts", "a mount's destination must be an absolute path: " + mount.destination);
    }
  }
  if (what.disk) {
    const bool own = what.disk->file.empty();
    if (!own && (!absolute(what.disk->file) || !is_utf8(what.disk->file)))
      return bad_config("disk", "the disk's file must be an absolute path in UTF-8: " + what.disk->file);
    if (what.disk->bytes < least_disk && (own || what.disk->bytes != 0))
      return bad_config("disk", "less than 64 MiB: too small for a file system", "give 64Mi or more");
  }
  BERTH_TRY(detail::check_annotations(what.annotations));
  BERTH_TRY(detail::check_sleep(what.idle_timeout, what.hibernate, what.network, what.shared_directory));
  if (what.create_timeout <= duration::zero()) return bad_config("create_timeout", "the time limit is not positive");
  return {};
}

BERTH_DECL result<std::string> find_init(const environment& where) {
  std::vector<std::string> places;
  if (!where.init.empty()) {
    places.push_back(where.init);
  } else {
    char self[PATH_MAX];
    const ssize_t n = ::readlink("/proc/self/exe", self, sizeof self);
    if (n > 0 && static_cast<std::size_t>(n) < sizeof self) {
      std::string directory(self, static_cast<std::size_t>(n));
      directory.resize(directory.rfind('/'));
      places.push_back(directory.substr(0, directory.rfind('/')) + "/libexec/berth/berth-init");
      places.push_back(directory + "/libexec/berth/berth-init");
    }
    places.push_back(std::string(BERTH_LIBEXEC_DIR) + "/berth-init");
  }
  std::string tried;
  for (const std::string& place : places) {
    struct stat info {};
    if (place.front() == '/' && ::stat(place.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
        (info.st_mode & 0111) != 0) {
      return place;
    }
    tried += (tried.empty() ? "" : ", ") + place;
  }
  return make_error(errc::not_found, "sandbox", "berth-init was not found", tried,
                    "set BERTH_INIT to the absolute path of berth-init, or install berth");
}

BERTH_DECL std::string find_command(const std::string& init) {
  const std::string beside = init.substr(0, init.rfind('/'));
  for (const std::string& place : {beside + "/berth", beside + "/../../bin/berth", std::string("/usr/local/bin/berth"),
                                   std::string("/usr/bin/berth")}) {
    if (::access(place.c_str(), X_OK) == 0) return place;
  }
  return {};
}

}  // namespace berth

// The body of root_directory.
#include <berth/sandbox/detail/state_directory.hpp>

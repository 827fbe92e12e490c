// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/hash.hpp>
#include <berth/base/json_writer.hpp>
#include <berth/snapshot/manifest.hpp>
#include <berth/spec/json.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <set>
#include <sstream>

namespace berth {
namespace detail {

inline error damaged_manifest(std::string why) {
  return make_error(errc::record_damaged, "snapshot", "the snapshot's manifest cannot be read: " + std::move(why), {},
                    "remove the snapshot, and make it again");
}

inline error unfit_snapshot(const snapshot_manifest& manifest, std::string why, std::string hint) {
  return make_error(errc::unsupported, "snapshot",
                    "the snapshot " + manifest.name + " cannot be restored here: " + std::move(why), {},
                    std::move(hint));
}

}  // namespace detail

BERTH_DECL std::string format_snapshot_manifest(const snapshot_manifest& manifest) {
  json_writer out(2);
  out.open_object();
  out.key("version").number(snapshot_manifest::current_version);
  out.key("name").string(manifest.name);
  out.key("created_ms").number(manifest.created_ms);
  out.key("took_ms").number(manifest.took_ms);
  out.key("bytes").unsigned_number(manifest.bytes);
  out.key("berth").string(manifest.berth);
  out.key("docker").boolean(manifest.docker);
  out.key("base").open_object();
  out.key("runsc").string(manifest.base.runsc);
  out.key("cpu").string(manifest.base.cpu);
  out.key("rootfs").string(manifest.base.rootfs);
  out.close_object();
  out.key("source").raw(format_record(manifest.source));
  out.close_object();
  return out.take() + '\n';
}

BERTH_DECL result<snapshot_manifest> parse_snapshot_manifest(std::string_view json) {
  const auto parsed = parsed_json::parse(json);
  if (!parsed) return detail::damaged_manifest(parsed.error().message);
  const json_view root = parsed->root();
  const auto version = root["version"].number<int>();
  if (version && *version > snapshot_manifest::current_version)
    return detail::damaged_manifest("version " + std::to_string(*version) + " is from a later berth");
  snapshot_manifest out;
  const json_view base = root["base"];
  const auto name = root["name"].text();
  const auto runsc = base["runsc"].text(), cpu = base["cpu"].text(), rootfs = base["rootfs"].text();
  if (!version || !name || !runsc || !cpu || !rootfs) return detail::damaged_manifest("it is no manifest");
  out.name = *name;
  out.created_ms = root["created_ms"].number<std::int64_t>().value_or(0);
  out.took_ms = root["took_ms"].number<std::int64_t>().value_or(0);
  out.bytes = root["bytes"].number<std::uint64_t>().value_or(0);
  out.berth = root["berth"].text().value_or(std::string_view());
  out.docker = root["docker"].truth().value_or(false);
  out.base = {std::string(*runsc), std::string(*cpu), std::string(*rootfs)};
  auto source = parse_record(root["source"].to_json());
  if (!source) return detail::damaged_manifest(source.error().message);
  out.source = std::move(*source);
  return out;
}

BERTH_DECL result<void> check_snapshot_base(const snapshot_manifest& manifest, const snapshot_base& here) {
  const snapshot_base& then = manifest.base;
  if (then.runsc != here.runsc)
    return detail::unfit_snapshot(manifest, "it was made by runsc " + then.runsc + ", and this is " + here.runsc,
                                  "use that runsc, or make the snapshot again");
  if (then.rootfs != here.rootfs)
    return detail::unfit_snapshot(manifest, "its root file system was changed or replaced: " + manifest.source.rootfs,
                                  "programs in it go on reading files of the one that it was made with; make the "
                                  "snapshot again");
  std::istringstream words(here.cpu);
  std::set<std::string> has;
  for (std::string word; words >> word;) has.insert(word);
  std::istringstream wanted(then.cpu);
  std::string missing;
  for (std::string word; wanted >> word;)
    if (!has.contains(word)) missing += (missing.empty() ? "" : " ") + word;
  if (!missing.empty())
    return detail::unfit_snapshot(manifest, "this machine's CPU lacks " + missing,
                                  "restore it on a CPU like that of the machine that it was made on");
  return {};
}

BERTH_DECL result<std::string> rootfs_identity(const std::string& directory) {
  std::string text;
  for (const char* name : {"",
                           "/bin",
                           "/boot",
                           "/etc",
                           "/etc/passwd",
                           "/etc/ld.so.cache",
                           "/home",
                           "/lib",
                           "/lib64",
                           "/lib/apk/db/installed",
                           "/opt",
                           "/root",
                           "/sbin",
                           "/srv",
                           "/usr",
                           "/usr/bin",
                           "/usr/lib",
                           "/usr/local",
                           "/usr/local/bin",
                           "/usr/sbin",
                           "/usr/share",
                           "/var",
                           "/var/lib",
                           "/var/lib/dpkg/status",
                           "/var/lib/rpm"}) {
    struct stat info {};
    const int failed = ::lstat((directory + name).c_str(), &info) == 0 ? 0 : errno;
    if (failed != 0 && *name == '\0')
      return errno_error(failed, "snapshot", "cannot open the root file system", directory);
    if (failed != 0) continue;
    text += std::string(name) + " " + std::to_string(info.st_ino) + " " + std::to_string(info.st_mtim.tv_sec) + "." +
            std::to_string(info.st_mtim.tv_nsec) + "\n";
  }
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(fnv1a(text)));
  return std::string(hex);
}

BERTH_DECL std::string cpu_features() {
  std::istringstream lines(read_system_file("/proc/cpuinfo"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("flags") && !line.starts_with("Features")) continue;
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos) return line.substr(line.find_first_not_of(' ', colon + 1));
  }
  return {};
}

}  // namespace berth

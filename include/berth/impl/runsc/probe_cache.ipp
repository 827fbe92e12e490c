// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/hash.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/runsc/binary.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace berth::detail {

/// What tells one version of a file from another.
struct runsc_identity {
  std::string path;
  std::int64_t mtime_ns = 0;
  std::uint64_t size = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const runsc_identity&, const runsc_identity&) = default;
};

inline std::optional<runsc_identity> identify_runsc(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return runsc_identity{path, std::int64_t{info.st_mtim.tv_sec} * 1000000000 + info.st_mtim.tv_nsec,
                        static_cast<std::uint64_t>(info.st_size), static_cast<std::uint64_t>(info.st_ino)};
}

/// The binaries that this process has probed.
struct runsc_memory_cache {
  std::mutex lock;
  std::map<std::string, std::pair<runsc_identity, runsc_binary>> entries;  // by path
};

inline runsc_memory_cache& runsc_cache_in_memory() {
  static runsc_memory_cache cache;
  return cache;
}

inline std::string hex64(std::uint64_t n) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(n));
  return text;
}

// The file: a line of its own kind, then fields, each "LENGTH\n" and so many bytes and "\n", then the FNV-1a of all that
// in hexadecimal. Torn or foreign files do not read back, and are made anew.
inline constexpr std::string_view runsc_cache_magic = "berth-runsc-texts 1\n";

inline void append_cache_field(std::string& out, std::string_view text) {
  out.append(std::to_string(text.size())).append("\n").append(text).append("\n");
}

inline std::string write_runsc_cache(const runsc_identity& who, const runsc_texts& texts) {
  std::string out(runsc_cache_magic);
  append_cache_field(out, who.path);
  append_cache_field(out,
                     std::to_string(who.mtime_ns) + " " + std::to_string(who.size) + " " + std::to_string(who.inode));
  append_cache_field(out, texts.version);
  append_cache_field(out, texts.flags);
  append_cache_field(out, texts.verbs);
  for (const auto& [verb, help] : texts.help) {
    append_cache_field(out, verb);
    append_cache_field(out, help);
  }
  return out + hex64(fnv1a(out));
}

/// The texts, when the file is whole and about this very binary. Pure.
inline std::optional<runsc_texts> read_runsc_cache(std::string_view file, const runsc_identity& who) {
  if (file.size() < runsc_cache_magic.size() + 16 || file.substr(0, runsc_cache_magic.size()) != runsc_cache_magic)
    return std::nullopt;
  const std::string_view body = file.substr(0, file.size() - 16);
  if (hex64(fnv1a(body)) != file.substr(file.size() - 16)) return std::nullopt;
  std::vector<std::string_view> fields;
  for (std::string_view rest = body.substr(runsc_cache_magic.size()); !rest.empty();) {
    std::size_t length = 0, digits = 0;
    while (digits < rest.size() && digits < 8 && rest[digits] >= '0' && rest[digits] <= '9')
      length = length * 10 + static_cast<std::size_t>(rest[digits++] - '0');
    if (digits == 0 || digits >= rest.size() || rest[digits] != '\n' || rest.size() - digits - 1 < length + 1 ||
        rest[digits + 1 + length] != '\n')
      return std::nullopt;
    fields.push_back(rest.substr(digits + 1, length));
    rest.remove_prefix(digits + length + 2);
  }
  if (fields.size() < 5 || fields.size() % 2 == 0 || fields[0] != who.path ||
      fields[1] != std::to_string(who.mtime_ns) + " " + std::to_string(who.size) + " " + std::to_string(who.inode))
    return std::nullopt;
  runsc_texts texts{std::string(fields[2]), std::string(fields[3]), std::string(fields[4]), {}};
  for (std::size_t i = 5; i + 1 < fields.size(); i += 2) texts.help.emplace(fields[i], fields[i + 1]);
  return texts;
}

inline std::string runsc_cache_file(std::string_view directory, const std::string& path) {
  return std::string(directory) + "/runsc-" + hex64(fnv1a(path));
}

inline std::optional<runsc_texts> load_runsc_cache(std::string_view directory, const runsc_identity& who) {
  const unique_fd fd(
      ::open(runsc_cache_file(directory, who.path).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info {};
  // What another user could have written is not believed.
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != ::geteuid() ||
      (info.st_mode & 022) != 0 || info.st_size > (1 << 20))
    return std::nullopt;
  std::string file;
  if (read_all(fd.get(), file, 1 << 20) != 0) return std::nullopt;
  return read_runsc_cache(file, who);
}

/// Written under another name first: a reader sees the whole file or none. Failing is no harm.
inline void store_runsc_cache(std::string_view directory, const runsc_identity& who, const runsc_texts& texts) {
  const std::string dir(directory);
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) return;
  std::string temporary = dir + "/.runsc-XXXXXX";
  const unique_fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return;
  if (write_all(fd.get(), write_runsc_cache(who, texts)) != 0 ||
      ::rename(temporary.c_str(), runsc_cache_file(dir, who.path).c_str()) != 0)
    ::unlink(temporary.c_str());
}

}  // namespace berth::detail

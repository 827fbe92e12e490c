// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/token.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/spec/detail/document.hpp>
#include <berth/spec/detail/scan.hpp>
#include <berth/spec/spec_builder.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace berth {
namespace detail {

inline error symlinked_spec(const std::string& path) {
  return make_error(errc::spec_path, "spec", "the spec is a symbolic link", path, "name the file that it points to");
}

/// Makes a file of a new name in `directory`; `name` is left empty when that fails.
inline result<unique_fd> make_temporary(int directory, std::string_view base, std::string& name, unsigned mode,
                                        const std::string& path) {
  for (int attempt = 0; attempt < 16; ++attempt) {
    std::string candidate = ".";
    candidate += base.substr(0, 200);  // NAME_MAX is 255
    candidate += "." + random_token(13);
    unique_fd fd(::openat(directory, candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (fd) {
      name = std::move(candidate);
      if (::fchmod(fd.get(), static_cast<mode_t>(mode)) != 0) {
        error e = errno_error(errno, "spec", "the spec's mode could not be set", path);
        ::unlinkat(directory, name.c_str(), 0);
        return e;
      }
      return fd;
    }
    if (errno != EEXIST) break;
  }
  return errno_error(errno, "spec", "no temporary file could be made beside the spec", path,
                     "check that the directory exists and can be written to");
}

BERTH_DECL result<std::string> spec_file_text(const json_document& document) {
  std::string text;
  write_json(text, document.root, 4);
  text += '\n';
  if (text.size() <= spec_max_bytes) return text;
  text.clear();
  write_json(text, document.root);
  text += '\n';
  if (text.size() <= spec_max_bytes) return text;
  return make_error(errc::spec_too_large, "spec",
                    "the spec has become larger than 16 MiB by what was put into it, and would not be read again", {},
                    "no config.json needs that much");
}

inline result<void> write_spec_file(const json_document& document, const std::string& path, unsigned mode) {
  const result<std::string> text = spec_file_text(document);
  if (!text) {
    error e = text.error();
    e.path = path;
    return e;
  }

  const std::size_t slash = path.rfind('/');
  const std::string directory_path = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const std::string base = slash == std::string::npos ? path : path.substr(slash + 1);
  if (base.empty() || base == "." || base == ".." || path.find('\0') != std::string::npos)
    return make_error(errc::invalid, "spec", "the path names no file", path, "end it with a file name");
  unique_fd directory(::open(directory_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return errno_error(errno, "spec", "the spec's directory could not be opened", directory_path);

  struct stat there;
  if (::fstatat(directory.get(), base.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0) {
    if (S_ISLNK(there.st_mode)) return symlinked_spec(path);
    if (!S_ISREG(there.st_mode))
      return make_error(errc::spec_path, "spec", "the spec is not a regular file", path, "name a regular file");
  } else if (errno != ENOENT) {
    return errno_error(errno, "spec", "the spec could not be looked at", path);
  }

  std::string name;
  result<unique_fd> file = make_temporary(directory.get(), base, name, mode, path);
  if (!file) return std::move(file).error();
  result<void> outcome;
  if (const int failed = write_all(file->get(), *text); failed != 0)
    outcome = errno_error(failed, "spec", "the spec could not be written", path);
  // Contents before the name: a crash leaves the old file or the new one, never an empty one.
  if (outcome && ::fsync(file->get()) != 0) outcome = errno_error(errno, "spec", "the spec could not be synced", path);
  if (outcome && ::renameat(directory.get(), name.c_str(), directory.get(), base.c_str()) != 0)
    outcome = errno_error(errno, "spec", "the spec could not be put in its place", path);
  if (!outcome) {
    ::unlinkat(directory.get(), name.c_str(), 0);
    return outcome;
  }
  if (::fsync(directory.get()) != 0)
    return errno_error(errno, "spec", "the spec's directory could not be synced", directory_path);
  return {};
}

inline result<std::string> read_spec_file(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not hang; it changes nothing for a regular file.
  unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) {
    if (errno == ELOOP) return symlinked_spec(path);
    return errno_error(errno, "spec", "the spec could not be opened", path);
  }
  struct stat st;
  if (::fstat(fd.get(), &st) != 0) return errno_error(errno, "spec", "the spec could not be looked at", path);
  if (!S_ISREG(st.st_mode))
    return make_error(errc::spec_path, "spec", "the spec is not a regular file", path, "name a regular file");
  std::string text;
  const int failed = read_all(fd.get(), text, spec_max_bytes);
  if (failed == EFBIG)
    return make_error(errc::spec_too_large, "spec", "the spec is larger than 16 MiB", path,
                      "no config.json needs that much");
  if (failed != 0) return errno_error(failed, "spec", "the spec could not be read", path);
  return text;
}

}  // namespace detail

BERTH_DECL result<spec_builder> spec_builder::load(const std::string& path) {
  try {
    result<std::string> text = detail::read_spec_file(path);
    if (!text) return std::move(text).error();
    result<spec_builder> parsed = parse(*text);
    if (!parsed) {
      error e = std::move(parsed).error();
      e.detail = "in " + path;  // the path of the error is the JSON pointer
      return e;
    }
    return parsed;
  } catch (const std::bad_alloc&) {
    return detail::out_of_memory();
  }
}

BERTH_DECL result<std::string> spec_builder::file_text() const {
  try {
    return detail::spec_file_text(*document_);
  } catch (const std::bad_alloc&) {
    return detail::out_of_memory();
  }
}

BERTH_DECL result<void> spec_builder::write_file(const std::string& path, unsigned mode) const {
  try {
    return detail::write_spec_file(*document_, path, mode);
  } catch (const std::bad_alloc&) {
    return detail::out_of_memory();
  }
}

}  // namespace berth

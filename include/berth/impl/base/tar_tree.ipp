// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/tar_tree.hpp>
#include <berth/base/file.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

namespace berth {

namespace detail {

// Components of a path; none where one is `..` and that is not wanted.
inline std::optional<std::vector<std::string>> path_components(std::string_view path, bool with_parents) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), part.size() + 1));
    if (part.empty() || part == ".") continue;
    if (part == ".." && !with_parents) return std::nullopt;
    parts.emplace_back(part);
  }
  return parts;
}

// None, with errno, where it cannot be read.
inline std::optional<std::vector<std::string>> names_in(int directory) {
  const int own = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) return std::nullopt;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(own), &::closedir);
  if (!stream) {
    const int err = errno;
    ::close(own);
    errno = err;
    return std::nullopt;
  }
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return std::nullopt;
  std::sort(names.begin(), names.end());
  return names;
}

inline std::optional<std::string> read_link_at(int at, const char* name) {
  char target[4096];
  const ssize_t n = ::readlinkat(at, name, target, sizeof target);
  if (n < 0) return std::nullopt;
  return std::string(target, static_cast<std::size_t>(n));
}

inline void read_xattrs(int fd, tar_entry& to) {
  char names[16 * 1024];
  const ssize_t n = ::flistxattr(fd, names, sizeof names);
  for (ssize_t at = 0; at < n;) {
    const std::string name(names + at);
    at += static_cast<ssize_t>(name.size()) + 1;
    char value[64 * 1024];
    const ssize_t size = ::fgetxattr(fd, name.c_str(), value, sizeof value);
    if (size >= 0) to.xattrs.emplace_back(name, std::string(value, static_cast<std::size_t>(size)));
  }
}

inline tar_entry tar_entry_of(const struct stat& info, std::string name) {
  tar_entry e;
  e.name = std::move(name);
  e.mode = info.st_mode & 07777;
  e.uid = info.st_uid;
  e.gid = info.st_gid;
  e.mtime = info.st_mtim.tv_sec;
  switch (info.st_mode & S_IFMT) {
    case S_IFDIR: e.kind = tar_kind::directory; break;
    case S_IFLNK: e.kind = tar_kind::symlink; break;
    case S_IFIFO: e.kind = tar_kind::fifo; break;
    case S_IFCHR: e.kind = tar_kind::character_device; break;
    case S_IFBLK: e.kind = tar_kind::block_device; break;
    default: e.size = static_cast<std::uint64_t>(info.st_size); break;
  }
  if (e.kind == tar_kind::character_device || e.kind == tar_kind::block_device) {
    e.device_major = major(info.st_rdev);
    e.device_minor = minor(info.st_rdev);
  }
  return e;
}

inline constexpr std::size_t tar_piece = 256 * 1024;

}  // namespace detail

BERTH_DECL unique_fd open_directory_itself(int at, const char* name) noexcept {
  // O_NONBLOCK: it may be a FIFO.
  unique_fd fd(::openat(at, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat seen {};
  if (!fd || ::fstat(fd.get(), &seen) != 0) return {};
  if (S_ISDIR(seen.st_mode)) return fd;
  fd.reset();
  errno = ENOTDIR;
  return fd;
}

// ---- packing ----

BERTH_DECL error tar_packer::failed(int err, std::string path) const {
  return errno_error(err, layer_, "cannot be read for an archive", std::move(path));
}

BERTH_DECL result<tar_packer> tar_packer::open(const std::string& path, std::string name, bool follow,
                                               std::string_view layer) {
  tar_packer out;
  out.layer_ = layer;
  if (name.empty()) {
    std::string_view whole = path;
    while (whole.size() > 1 && whole.ends_with('/')) whole.remove_suffix(1);
    name = whole.substr(whole.rfind('/') + 1);
    if (name.empty() || name == "..") name = ".";
  }
  struct stat info {};
  if (::fstatat(AT_FDCWD, path.c_str(), &info, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0) return out.failed(errno, path);
  if (follow && (S_ISDIR(info.st_mode) || S_ISREG(info.st_mode))) {
    out.followed_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!out.followed_) return out.failed(errno, path);
  }
  out.path_ = path;
  out.name_ = std::move(name);
  return out;
}

BERTH_DECL result<bool> tar_packer::next(std::string& out) {
  if (ended_) return false;
  const std::size_t until = out.size() + detail::tar_piece;
  if (!path_.empty()) {
    const std::string path = std::exchange(path_, {});
    if (followed_) BERTH_TRY(add_open(out, std::move(followed_), std::exchange(name_, {})));
    else BERTH_TRY(add(out, AT_FDCWD, path.c_str(), std::exchange(name_, {})));
  }
  while (out.size() < until) {
    if (content_ || content_left_ > 0) {
      BERTH_TRY(read_content(out));
    } else if (levels_.empty()) {
      out.append(tar_end_size, '\0');
      ended_ = true;
      return true;
    } else if (levels_.back().names.empty()) {
      levels_.pop_back();
    } else {
      level& now = levels_.back();
      const std::string name = std::move(now.names.back());
      now.names.pop_back();
      BERTH_TRY(add(out, now.directory.get(), name.c_str(), now.prefix + name));
    }
  }
  return true;
}

BERTH_DECL result<void> tar_packer::add(std::string& out, int at, const char* name, std::string inside) {
  struct stat info {};
  if (::fstatat(at, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT && at != AT_FDCWD) return {};  // it went away meanwhile
    return failed(errno, std::move(inside));
  }
  if (S_ISSOCK(info.st_mode)) return {};
  if (S_ISDIR(info.st_mode) || S_ISREG(info.st_mode)) {
    // O_NONBLOCK: by now it may be a FIFO.
    unique_fd file(::openat(at, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file && errno == ENOENT && at != AT_FDCWD) return {};
    if (!file) return failed(errno, std::move(inside));
    return add_open(out, std::move(file), std::move(inside));
  }
  tar_entry e = detail::tar_entry_of(info, std::move(inside));
  if (e.kind == tar_kind::symlink) {
    auto target = detail::read_link_at(at, name);
    if (!target) return failed(errno, e.name);
    e.target = std::move(*target);
  }
  out += tar_header(e);
  return {};
}

BERTH_DECL result<void> tar_packer::add_open(std::string& out, unique_fd file, std::string inside) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return failed(errno, std::move(inside));
  if (!S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode)) return {};
  tar_entry e = detail::tar_entry_of(info, std::move(inside));
  if (S_ISREG(info.st_mode) && info.st_nlink > 1) {
    const auto [first, is_new] = linked_.emplace(std::pair(info.st_dev, info.st_ino), e.name);
    if (!is_new) {
      e.kind = tar_kind::hard_link;
      e.target = first->second;
      e.size = 0;
      out += tar_header(e);
      return {};
    }
  }
  detail::read_xattrs(file.get(), e);
  if (S_ISREG(info.st_mode)) {
    out += tar_header(e);
    content_left_ = e.size;
    content_name_ = std::move(e.name);
    padding_ = tar_padding(e.size);
    if (e.size > 0) content_ = std::move(file);
    return {};
  }
  auto names = detail::names_in(file.get());
  if (!names) return failed(errno, e.name);
  std::reverse(names->begin(), names->end());
  level below;
  below.directory = std::move(file);
  below.names = std::move(*names);
  if (e.name != ".") below.prefix = e.name + "/";
  e.name += '/';
  out += tar_header(e);
  levels_.push_back(std::move(below));
  return {};
}

BERTH_DECL result<void> tar_packer::read_content(std::string& out) {
  const std::size_t before = out.size();
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(content_left_, detail::tar_piece));
  out.resize(before + wanted);
  ssize_t n = 0;
  do {
    n = content_ ? ::read(content_.get(), out.data() + before, wanted) : 0;
  } while (n < 0 && errno == EINTR);
  if (n < 0) return failed(errno, content_name_);
  if (n == 0) {
    // It has become shorter: the archive has said how long it is.
    content_.reset();
    content_left_ -= wanted;
  } else {
    out.resize(before + static_cast<std::size_t>(n));
    content_left_ -= static_cast<std::size_t>(n);
  }
  if (content_left_ == 0) {
    content_.reset();
    out.append(padding_, '\0');
  }
  return {};
}

// ---- unpacking ----

BERTH_DECL error tar_unpacker::failed(int err, const std::string& name) const {
  return errno_error(err, layer_, "an entry of an archive cannot be made", name);
}

BERTH_DECL error tar_unpacker::refused(std::string why, const std::string& name) const {
  return make_error(errc::permission, layer_, std::move(why), name);
}

BERTH_DECL result<tar_unpacker> tar_unpacker::open(const std::string& directory, unpack_options options,
                                                   std::string_view layer) {
  unique_fd root(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return errno_error(errno, layer, "cannot open the directory to unpack into", directory);
  return tar_unpacker(std::move(root), options, layer);
}

BERTH_DECL tar_unpacker::tar_unpacker(unique_fd directory, unpack_options options, std::string_view layer)
    : options_(options), layer_(layer), root_(std::move(directory)) {
  struct stat ours {};
  struct stat whole {};
  is_whole_root_ = ::fstat(root_.get(), &ours) == 0 && ::stat("/", &whole) == 0 && ours.st_dev == whole.st_dev &&
                   ours.st_ino == whole.st_ino;
}

// Component by component from our descriptor, so that no link, whoever makes one meanwhile, leads anywhere unseen.
BERTH_DECL result<tar_unpacker::place> tar_unpacker::find_place(const std::string& name) {
  auto parts = detail::path_components(name, false);
  if (!parts) return refused("an archive names a path outside of itself", name);
  place out;
  if (!parts->empty()) {
    out.name = std::move(parts->back());
    parts->pop_back();
  }
  std::reverse(parts->begin(), parts->end());
  std::vector<unique_fd> way;
  int links = 0;
  while (!parts->empty()) {
    const int at = way.empty() ? root_.get() : way.back().get();
    const std::string part = parts->back();
    if (part == "..") {  // of a link
      if (way.empty() && !is_whole_root_) return refused("a symbolic link on the way leads outside", name);
      if (!way.empty()) way.pop_back();
      parts->pop_back();
      continue;
    }
    unique_fd next = open_directory_itself(at, part.c_str());
    if (next) {
      way.push_back(std::move(next));
      parts->pop_back();
      continue;
    }
    if (errno == ENOENT) {
      if (::mkdirat(at, part.c_str(), 0755) != 0 && errno != EEXIST) return failed(errno, name);
      continue;
    }
    if (errno != ENOTDIR && errno != ELOOP && errno != ENXIO) return failed(errno, name);  // ENXIO: a socket
    const auto target = detail::read_link_at(at, part.c_str());
    if (!target) return failed(ENOTDIR, name);
    if (!options_.follow_inside) return refused("a symbolic link is in the way", name);
    if (++links > 40) return failed(ELOOP, name);
    parts->pop_back();
    if (target->starts_with('/')) {
      if (!is_whole_root_) return refused("a symbolic link on the way leads outside", name);
      way.clear();
    }
    auto more = detail::path_components(*target, true);
    parts->insert(parts->end(), more->rbegin(), more->rend());
  }
  if (way.empty()) out.directory.reset(::fcntl(root_.get(), F_DUPFD_CLOEXEC, 3));
  else out.directory = std::move(way.back());
  if (!out.directory) return failed(errno, name);
  return out;
}

BERTH_DECL result<void> tar_unpacker::append(std::string_view data) {
  reader_.append(data);
  for (;;) {
    auto piece = reader_.next();
    if (!piece) {
      error e = std::move(piece).error();
      e.layer = layer_;
      return e;
    }
    if (!*piece) return {};
    switch ((*piece)->what) {
      case tar_reader::piece::kind::entry:
        if (content_) BERTH_TRY(end_file());
        BERTH_TRY(begin((*piece)->entry));
        break;
      case tar_reader::piece::kind::content: {
        if (!content_) break;
        if (const int err = write_all(content_.get(), (*piece)->content); err != 0) return failed(err, file_.name);
        break;
      }
      case tar_reader::piece::kind::end:
        if (content_) BERTH_TRY(end_file());
        return {};
    }
  }
}

BERTH_DECL result<void> tar_unpacker::begin(const tar_entry& e) {
  if (++entries_ > options_.most_entries)
    return make_error(errc::too_big, layer_,
                      "an archive of more than " + std::to_string(options_.most_entries) + " entries");
  if (e.size > options_.most_bytes - bytes_)
    return make_error(errc::too_big, layer_,
                      "an archive of more than " + std::to_string(options_.most_bytes) + " bytes", e.name);
  bytes_ += e.size;
  auto where = find_place(e.name);
  if (!where) return std::move(where).error();
  const int at = where->directory.get();
  const char* name = where->name.c_str();
  if (e.kind == tar_kind::directory) {
    if (where->name.empty()) return {};  // what is unpacked into is somebody else's
    bool is_new = ::mkdirat(at, name, 0700) == 0;
    if (!is_new && errno != EEXIST) return failed(errno, e.name);
    if (!is_new) {
      struct stat there {};
      if (::fstatat(at, name, &there, AT_SYMLINK_NOFOLLOW) != 0) return failed(errno, e.name);
      if (S_ISLNK(there.st_mode) && options_.follow_inside) {
        auto through = find_place(e.name + "/.berth");  // it leads to a directory inside, and stays a link
        if (through) return {};
      }
      if (!S_ISDIR(there.st_mode)) {
        if (::unlinkat(at, name, 0) != 0 || ::mkdirat(at, name, 0700) != 0) return failed(errno, e.name);
        is_new = true;
      }
    }
    if (is_new || options_.as_it_was) directories_.push_back(e);
    return {};
  }
  if (where->name.empty()) return refused("an archive names the directory itself as a file", e.name);
  const auto make_room = [&]() -> result<void> {
    if (::unlinkat(at, name, 0) == 0 || errno == ENOENT) return {};
    const int err = errno;
    struct stat there {};
    if (::fstatat(at, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(there.st_mode)) return failed(EISDIR, e.name);
    return failed(err, e.name);
  };
  switch (e.kind) {
    case tar_kind::file:
      BERTH_TRY(make_room());
      content_.reset(::openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
      if (!content_) return failed(errno, e.name);
      file_ = e;
      return {};
    case tar_kind::symlink:
      BERTH_TRY(make_room());
      if (::symlinkat(e.target.c_str(), at, name) != 0) return failed(errno, e.name);
      return set_attributes(e, at, name, -1);
    case tar_kind::hard_link: {
      auto other = find_place(e.target);
      if (!other) return std::move(other).error();
      struct stat ours {};
      struct stat theirs {};
      const int from = other->directory.get();
      if (::fstatat(from, other->name.c_str(), &theirs, AT_SYMLINK_NOFOLLOW) != 0) return failed(errno, e.name);
      if (::fstatat(at, name, &ours, AT_SYMLINK_NOFOLLOW) == 0 && ours.st_ino == theirs.st_ino &&
          ours.st_dev == theirs.st_dev)
        return {};
      BERTH_TRY(make_room());
      if (::linkat(from, other->name.c_str(), at, name, 0) != 0) return failed(errno, e.name);
      return {};
    }
    default: break;
  }
  if (!options_.as_it_was) return refused("an archive holds a device or a FIFO", e.name);
  BERTH_TRY(make_room());
  const mode_t kind = e.kind == tar_kind::fifo ? S_IFIFO : e.kind == tar_kind::character_device ? S_IFCHR : S_IFBLK;
  if (::mknodat(at, name, kind | 0600, makedev(e.device_major, e.device_minor)) != 0) return failed(errno, e.name);
  return set_attributes(e, at, name, -1);
}

BERTH_DECL result<void> tar_unpacker::end_file() {
  const unique_fd file = std::move(content_);
  return set_attributes(file_, -1, "", file.get());
}

BERTH_DECL result<void> tar_unpacker::set_attributes(const tar_entry& e, int at, const char* name, int fd) {
  const bool is_link = e.kind == tar_kind::symlink;
  const timespec times[2] = {{0, UTIME_OMIT}, {static_cast<time_t>(e.mtime), 0}};
  struct stat now {};
  const int seen = fd >= 0 ? ::fstat(fd, &now) : ::fstatat(at, name, &now, AT_SYMLINK_NOFOLLOW);
  if (seen != 0) return failed(errno, e.name);
  if (options_.as_it_was && (now.st_uid != e.uid || now.st_gid != e.gid)) {
    const int owned = fd >= 0 ? ::fchown(fd, e.uid, e.gid) : ::fchownat(at, name, e.uid, e.gid, AT_SYMLINK_NOFOLLOW);
    if (owned != 0) return failed(errno, e.name);
  }
  // After the owner, whose change takes the special bits away.
  const mode_t mode = static_cast<mode_t>(options_.as_it_was ? e.mode : e.mode & 0777);
  if (!is_link && (fd >= 0 ? ::fchmod(fd, mode) : ::fchmodat(at, name, mode, 0)) != 0) return failed(errno, e.name);
  if (options_.as_it_was && fd >= 0) {
    for (const auto& [key, value] : e.xattrs)  // not every file system has them
      (void)::fsetxattr(fd, key.c_str(), value.data(), value.size(), 0);
  }
  (void)(fd >= 0 ? ::futimens(fd, times) : ::utimensat(at, name, times, AT_SYMLINK_NOFOLLOW));
  return {};
}

BERTH_DECL result<void> tar_unpacker::finish() {
  if (!reader_.at_end()) {
    return make_error(errc::invalid, layer_, "an archive that was cut short", file_.name);
  }
  for (auto e = directories_.rbegin(); e != directories_.rend(); ++e) {
    auto where = find_place(e->name);
    if (!where) return std::move(where).error();
    const unique_fd there = open_directory_itself(where->directory.get(), where->name.c_str());
    if (!there) return failed(errno, e->name);
    BERTH_TRY(set_attributes(*e, -1, "", there.get()));
  }
  directories_.clear();
  return {};
}

}  // namespace berth

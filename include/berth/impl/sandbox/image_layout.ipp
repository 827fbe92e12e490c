// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/sandbox/detail/image_layout.hpp>
#include <berth/base/clock.hpp>
#include <berth/base/file.hpp>
#include <berth/base/json_writer.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/sandbox/detail/state_directory.hpp>
#include <berth/spec/json.hpp>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace berth::detail {

inline constexpr std::string_view commit_directory = ".berth-commit-";
inline constexpr std::size_t image_index_limit = std::size_t{4} << 20;

inline std::string path_of_descriptor(int fd) {
  // Not /proc/self: a child's would be another.
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd);
}

inline unique_fd open_below(int at, const char* name) {
  return unique_fd(::openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

inline bool is_free_for_a_layout(const std::string& directory) {
  std::error_code failed;
  for (std::filesystem::directory_iterator at(directory, failed), end; !failed && at != end; at.increment(failed))
    if (!at->path().filename().string().starts_with(commit_directory)) return false;
  return !failed;
}

inline std::string tag_of(json_view manifest) {
  return std::string(manifest["annotations"]["org.opencontainers.image.ref.name"].text().value_or(""));
}

/// What was put into a layout, in the order it came; taken away again unless it is kept.
class layout_additions {
 public:
  layout_additions() = default;
  layout_additions(const layout_additions&) = delete;
  layout_additions& operator=(const layout_additions&) = delete;
  ~layout_additions() {
    for (auto one = made_.rbegin(); one != made_.rend(); ++one)
      ::unlinkat(one->at, one->name.c_str(), one->directory ? AT_REMOVEDIR : 0);
  }
  void note(int at, std::string name, bool directory) { made_.push_back({at, std::move(name), directory}); }
  void keep() noexcept { made_.clear(); }

 private:
  struct entry {
    int at;
    std::string name;
    bool directory;
  };
  std::vector<entry> made_;
};

BERTH_DECL result<std::string> merge_image_index(std::string_view index, std::string_view added, std::string_view tag) {
  const auto damaged = [](std::string_view which) {
    return make_error(errc::invalid, "sandbox", "an image layout's index.json is none", std::string(which));
  };
  auto now = parsed_json::parse(index.empty() ? "{\"schemaVersion\":2}" : index);
  if (!now || !now->root().is_object()) return damaged("the layout's");
  auto more = parsed_json::parse(added);
  if (!more || !more->root()["manifests"].is_array()) return damaged("umoci's");
  const json_view was = now->root()["manifests"];
  if (was && !was.is_array()) return damaged("the layout's");
  berth::json_writer out;  // spec has another in detail
  out.open_object();
  for (std::size_t i = 0; i < now->root().size(); ++i)
    if (now->root().name(i) != "manifests") out.key(now->root().name(i)).raw(now->root().at(i).to_json());
  out.key("manifests").open_array();
  for (std::size_t i = 0; i < was.size(); ++i)
    if (tag_of(was.at(i)) != tag) out.raw(was.at(i).to_json());
  const json_view images = more->root()["manifests"];
  for (std::size_t i = 0; i < images.size(); ++i) out.raw(images.at(i).to_json());
  out.close_array().close_object();
  return out.take() + "\n";
}

BERTH_DECL error image_workplace::failed(int err, std::string message) const {
  return errno_error(err, "sandbox", std::move(message), layout_);
}

BERTH_DECL result<image_workplace> image_workplace::make(const std::string& layout) {
  image_workplace out;
  out.layout_ = layout;
  while (out.layout_.size() > 1 && out.layout_.ends_with('/')) out.layout_.pop_back();
  out.target_.reset(::open(out.layout_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat info {};
  if (out.target_) {
    const bool is_layout = ::fstatat(out.target_.get(), "oci-layout", &info, AT_SYMLINK_NOFOLLOW) == 0 &&
                           ::fstatat(out.target_.get(), "index.json", &info, AT_SYMLINK_NOFOLLOW) == 0;
    if (!is_layout && !is_free_for_a_layout(path_of_descriptor(out.target_.get())))
      return make_error(errc::invalid, "sandbox", "the directory is neither an OCI image layout nor empty", layout);
  } else {
    // A symbolic link that leads nowhere is there, too.
    if (errno != ENOENT || ::lstat(out.layout_.c_str(), &info) == 0)
      return out.failed(errno == 0 ? ENOENT : errno, "cannot open the image layout");
    const std::size_t slash = out.layout_.rfind('/');
    out.name_ = out.layout_.substr(slash == std::string::npos ? 0 : slash + 1);
    const std::string above = slash == std::string::npos ? "." : slash == 0 ? "/" : out.layout_.substr(0, slash);
    out.parent_.reset(::open(above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!out.parent_) return errno_error(errno, "sandbox", "cannot open the directory for the image layout", above);
  }
  const int at = (out.target_ ? out.target_ : out.parent_).get();
  std::string made = path_of_descriptor(at) + "/" + std::string(commit_directory) + "XXXXXX";
  if (::mkdtemp(made.data()) == nullptr) return out.failed(errno, "cannot make a directory for the image");
  out.work_name_ = made.substr(made.rfind('/') + 1);
  unique_fd work = open_below(at, out.work_name_.c_str());
  // Whoever may write there may have put another in its place.
  if (!work || ::fstat(work.get(), &info) != 0 || info.st_uid != ::geteuid() || (info.st_mode & 077) != 0)
    return make_error(errc::hostile, "sandbox", "the directory for the image was taken away", layout);
  out.work_ = std::move(work);
  return out;
}

BERTH_DECL image_workplace::~image_workplace() {
  if (!work_) return;
  (void)remove_tree(path("layout"));
  ::unlinkat(work_.get(), "changes.tar", 0);
  ::unlinkat(work_.get(), "index.json", 0);
  ::unlinkat((target_ ? target_ : parent_).get(), work_name_.c_str(), AT_REMOVEDIR);
}

BERTH_DECL std::string image_workplace::path(std::string_view name) const {
  std::string out = path_of_descriptor(work_.get());
  if (!name.empty()) out.append("/").append(name);
  return out;
}

BERTH_DECL result<measured_image> image_workplace::measure() const {
  auto text = read_file(path("layout/index.json"), image_index_limit, "sandbox");
  if (!text) return std::move(text).error();
  const auto index = parsed_json::parse(*text);
  measured_image out;
  if (index) out.digest = index->root()["manifests"].at(0)["digest"].text().value_or("");
  if (!out.digest.starts_with("sha256:"))
    return make_error(errc::internal, "sandbox", "umoci has left no image", layout_);
  std::error_code failed;
  const std::string blobs = path("layout/blobs/sha256");
  for (std::filesystem::directory_iterator at(blobs, failed), end; !failed && at != end; at.increment(failed)) {
    const auto size = at->file_size(failed);
    if (!failed) out.size += size;
  }
  if (failed) return this->failed(failed.value(), "cannot read the image that was made");
  return out;
}

BERTH_DECL result<void> image_workplace::publish_new() {
  // umoci's has the mode that everybody may read it, and a sandbox's files may be secret.
  if (::fchmodat(work_.get(), "layout", 0700, 0) != 0) return failed(errno, "cannot set the mode of the image layout");
  // An empty directory takes the name, and no file of somebody else's can be in the way of the rename then.
  if (::mkdirat(parent_.get(), name_.c_str(), 0700) != 0) {
    error e = failed(errno, "cannot make the image layout");
    if (e.code == errc::exists) e.hint = "it was made meanwhile: try again, to add to it";
    return e;
  }
  if (::renameat(work_.get(), "layout", parent_.get(), name_.c_str()) != 0) {
    const int err = errno;
    ::unlinkat(parent_.get(), name_.c_str(), AT_REMOVEDIR);
    return failed(err, "cannot make the image layout");
  }
  return {};
}

BERTH_DECL result<void> image_workplace::add(std::string_view tag) {
  struct stat owner {};
  if (::fstat(target_.get(), &owner) != 0) return failed(errno, "cannot read the image layout");
  const std::string target = path_of_descriptor(target_.get());
  mode_t mode = 0600;
  std::string index;
  struct stat info {};
  if (::fstatat(target_.get(), "index.json", &info, AT_SYMLINK_NOFOLLOW) == 0) {
    auto text = read_file(target + "/index.json", image_index_limit, "sandbox");
    if (!text) return std::move(text).error();
    index = std::move(*text);
    mode = info.st_mode & 0666;
  }
  auto added = read_file(path("layout/index.json"), image_index_limit, "sandbox");
  if (!added) return std::move(added).error();
  auto merged = merge_image_index(index, *added, tag);
  if (!merged) {
    error e = std::move(merged).error();
    e.path = layout_;
    return e;
  }

  const unique_fd from = open_below(work_.get(), "layout");
  unique_fd from_blobs = from ? open_below(from.get(), "blobs") : unique_fd();
  if (from_blobs) from_blobs = open_below(from_blobs.get(), "sha256");
  if (!from_blobs) return failed(errno, "cannot read the image that was made");
  // Before the additions: those are undone while the directories are open.
  unique_fd blobs, sha256;
  layout_additions made;
  const auto directory = [&made](int at, const char* name, mode_t with, unique_fd& into) {
    if (::mkdirat(at, name, with) == 0) made.note(at, name, true);
    else if (errno != EEXIST) return false;
    into = open_below(at, name);
    return static_cast<bool>(into);
  };
  // Who has the layout has what is in it. In the place of ours, where the name cannot come to mean another file.
  const auto link = [&](int from_at, int to_at, const char* name) {
    if (::fchownat(from_at, name, owner.st_uid, owner.st_gid, AT_SYMLINK_NOFOLLOW) != 0) return false;
    if (::linkat(from_at, name, to_at, name, 0) == 0) made.note(to_at, name, false);
    else if (errno != EEXIST) return false;
    return true;
  };
  if (!directory(target_.get(), "blobs", owner.st_mode & 0777, blobs) ||
      !directory(blobs.get(), "sha256", owner.st_mode & 0777, sha256))
    return failed(errno, "cannot add to the image layout");
  std::error_code wrong;
  for (std::filesystem::directory_iterator at(path_of_descriptor(from_blobs.get()), wrong), end; !wrong && at != end;
       at.increment(wrong)) {
    const std::string name = at->path().filename().string();
    if (!link(from_blobs.get(), sha256.get(), name.c_str())) return failed(errno, "cannot add to the image layout");
    struct stat ours {};
    struct stat there {};
    if (::fstatat(from_blobs.get(), name.c_str(), &ours, AT_SYMLINK_NOFOLLOW) != 0 ||
        ::fstatat(sha256.get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0)
      return failed(errno, "cannot read the image layout");
    if (ours.st_size != there.st_size)
      return make_error(errc::invalid, "sandbox", "a blob of the image layout is damaged: sha256:" + name, layout_);
  }
  if (wrong) return failed(wrong.value(), "cannot read the image that was made");
  if (!link(from.get(), target_.get(), "oci-layout")) return failed(errno, "cannot add to the image layout");
  const unique_fd file(::openat(work_.get(), "index.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return failed(errno, "cannot write the index of the image layout");
  if (const int err = write_all(file.get(), *merged); err != 0)
    return failed(err, "cannot write the index of the image layout");
  if (::fchown(file.get(), owner.st_uid, owner.st_gid) != 0 || ::fchmod(file.get(), mode) != 0 ||
      ::renameat(work_.get(), "index.json", target_.get(), "index.json") != 0)
    return failed(errno, "cannot write the index of the image layout");
  made.keep();
  return {};
}

BERTH_DECL boost::asio::awaitable<result<void>> image_workplace::publish(std::string_view tag) {
  if (!target_) co_return publish_new();
  // Adding is a matter of milliseconds.
  const time_point deadline = deadline_after(seconds(10));
  while (::flock(target_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) co_return failed(errno, "cannot lock the image layout");
    if (clock::now() >= deadline)
      co_return make_error(errc::timeout, "sandbox", "another process keeps the image layout locked", layout_);
    const milliseconds nap(20);
    auto waiting = pause_for(nap);
    if (!co_await std::move(waiting)) co_return make_error(errc::cancelled, "sandbox", "cancelled");
  }
  co_return add(tag);
}

}  // namespace berth::detail

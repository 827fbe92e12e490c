// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/sandbox/image_layer.hpp>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace berth {

namespace detail {

inline constexpr std::string_view whiteout_prefix = ".wh.";
// Go's reader of tars, which umoci and Docker have, takes no larger ones.
inline constexpr std::size_t layer_header_limit = std::size_t{1} << 20;

inline error refused_name(errc code, std::string why, const std::string& name) {
  return make_error(code, "sandbox", std::move(why), name);
}

// "a/b" of "./a//b/"; "" of ".".
inline result<std::string> layer_name(const std::string& name) {
  if (name.starts_with('/')) return refused_name(errc::invalid, "an archive names a path from the root on", name);
  std::string out;
  std::string_view rest = name;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    if (part.empty() || part == ".") continue;
    if (part == "..") return refused_name(errc::invalid, "an archive names a path outside of itself", name);
    if (part.starts_with(whiteout_prefix))
      return refused_name(errc::unsupported,
                          "an image cannot hold a file whose name begins with .wh.: it is a removal there", name);
    if (!out.empty()) out += '/';
    out += part;
  }
  return out;
}

inline std::string join_layer_name(std::string_view directory, std::string_view name) {
  std::string out(directory);
  if (!out.empty()) out += '/';
  return out += name;
}

// What says nothing outside of the host and its overlayfs.
inline bool is_of_the_host(std::string_view xattr) {
  return xattr.starts_with("trusted.") || xattr == "security.selinux";
}

}  // namespace detail

BERTH_DECL result<void> image_layer_converter::put_entry(tar_entry e, std::string& out) {
  auto name = detail::layer_name(e.name);
  if (!name) return std::move(name).error();
  if (name->empty() && e.kind != tar_kind::directory)
    return detail::refused_name(errc::invalid, "an archive has something else than a directory for its root", e.name);
  bool removal = e.kind == tar_kind::character_device && e.device_major == 0 && e.device_minor == 0;
  if (e.kind == tar_kind::hard_link) {
    auto target = detail::layer_name(e.target);
    if (!target) return std::move(target).error();
    if (target->empty()) return detail::refused_name(errc::invalid, "a hard link to a directory", e.name);
    removal = removed_.contains(*target);
    e.target = std::move(*target);
  }
  if (removal) {
    removed_bytes_ += name->size() + sizeof(std::string) * 3;  // and the node of the set
    if (removed_bytes_ > most_removal_bytes)
      return detail::refused_name(errc::too_big, "more files were removed one by one than an image is made with",
                                  e.name);
    const std::size_t slash = name->rfind('/');
    const std::string directory = slash == name->npos ? "" : name->substr(0, slash);
    tar_entry whiteout;
    whiteout.name = detail::join_layer_name(
        directory, std::string(detail::whiteout_prefix) + name->substr(slash == name->npos ? 0 : slash + 1));
    whiteout.mtime = e.mtime;
    out += tar_header(whiteout);
    removed_.insert(std::move(*name));
    return {};
  }
  bool opaque = false;
  for (const auto& [key, value] : e.xattrs) opaque = opaque || (key == "trusted.overlay.opaque" && value == "y");
  std::erase_if(e.xattrs, [](const auto& xattr) { return detail::is_of_the_host(xattr.first); });
  for (const auto& [key, value] : e.xattrs)
    if (key.empty() || key.find('\0') != key.npos)
      return detail::refused_name(errc::invalid, "an attribute with a name that is none", e.name);
  opaque = opaque && e.kind == tar_kind::directory;
  const std::int64_t mtime = e.mtime;
  e.name = name->empty() ? "./" : e.kind == tar_kind::directory ? *name + "/" : *name;
  const std::string header = tar_header(e);
  if (header.size() > detail::layer_header_limit)
    return detail::refused_name(errc::too_big, "the attributes of a file are more than an image can hold", e.name);
  out += header;
  if (e.kind == tar_kind::file) {
    content_left_ = e.size;
    padding_ = tar_padding(e.size);
  }
  if (opaque) {
    tar_entry hides;
    hides.name = detail::join_layer_name(*name, ".wh..wh..opq");
    hides.mtime = mtime;
    out += tar_header(hides);
  }
  return {};
}

BERTH_DECL result<void> image_layer_converter::convert(std::string_view tar, std::string& out) {
  using kind = tar_reader::piece::kind;
  reader_.append(tar);
  for (;;) {
    auto next = reader_.next();
    if (!next) {
      error e = std::move(next).error();
      e.layer = "sandbox";
      return e;
    }
    if (!*next || (*next)->what == kind::end) return {};
    if ((*next)->what == kind::entry) {
      BERTH_TRY(put_entry(std::move((*next)->entry), out));
      continue;
    }
    out += (*next)->content;
    content_left_ -= (*next)->content.size();
    if (content_left_ == 0) out.append(std::exchange(padding_, 0), '\0');
  }
}

BERTH_DECL result<void> image_layer_converter::finish(std::string& out) {
  if (!reader_.at_end()) return make_error(errc::invalid, "sandbox", "an archive that was cut short");
  out.append(tar_end_size, '\0');
  return {};
}

}  // namespace berth

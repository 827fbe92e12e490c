// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/tar.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

namespace berth {

namespace detail {

inline constexpr std::size_t tar_block = 512;
inline constexpr std::size_t tar_meta_limit = 1u << 20;
inline constexpr std::size_t tar_name_limit = 4096;
inline constexpr std::string_view tar_xattr = "SCHILY.xattr.";

// "LENGTH KEY=VALUE\n", where LENGTH counts its own digits.
inline void put_pax_record(std::string& to, std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest;
  for (std::size_t before = 0; before != length;) {
    before = length;
    length = rest + std::to_string(length).size();
  }
  to += std::to_string(length);
  to += ' ';
  to += key;
  to += '=';
  to += value;
  to += '\n';
}

// False where the number has more digits than the field.
inline bool put_octal(char* field, std::size_t size, std::uint64_t n) {
  for (std::size_t i = size - 1; i-- > 0; n >>= 3) field[i] = static_cast<char>('0' + (n & 7));
  return n == 0;
}

inline void put_tar_block(std::string& to, const tar_entry& e, char type, std::string_view name, std::uint64_t size) {
  char block[tar_block] = {};
  std::memcpy(block, name.data(), std::min<std::size_t>(name.size(), 100));
  put_octal(block + 100, 8, e.mode & 07777);
  put_octal(block + 108, 8, e.uid <= 07777777 ? e.uid : 0);
  put_octal(block + 116, 8, e.gid <= 07777777 ? e.gid : 0);
  put_octal(block + 124, 12, size <= 077777777777ull ? size : 0);
  put_octal(block + 136, 12, e.mtime >= 0 ? static_cast<std::uint64_t>(e.mtime) & 077777777777ull : 0);
  block[156] = type;
  std::memcpy(block + 157, e.target.data(), std::min<std::size_t>(e.target.size(), 100));
  std::memcpy(block + 257,
              "ustar\0"
              "00",
              8);
  put_octal(block + 329, 8, e.device_major);
  put_octal(block + 337, 8, e.device_minor);
  std::memset(block + 148, ' ', 8);
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put_octal(block + 148, 7, sum);
  block[154] = '\0';
  to.append(block, tar_block);
}

// A number of a header: octal digits, or, with the first bit set, 256-based.
inline std::optional<std::int64_t> tar_number(std::string_view field) {
  const auto first = static_cast<unsigned char>(field.front());
  if ((first & 0x80) != 0) {
    const bool negative = (first & 0x40) != 0;
    std::uint64_t n = negative ? ~std::uint64_t{0} : 0;
    for (std::size_t i = 0; i < field.size(); ++i) {
      const auto byte = static_cast<unsigned char>(field[i]);
      const std::uint64_t value = i == 0 ? (negative ? byte | 0x80u : byte & 0x7fu) : byte;
      if (const auto above = n >> 56; above != 0 && above != 0xff) return std::nullopt;
      n = n << 8 | (value & 0xff);
    }
    return static_cast<std::int64_t>(n);
  }
  std::int64_t n = 0;
  bool digits = false;
  for (const char c : field) {
    if (c == '\0' || c == ' ') {
      if (digits) break;
      continue;
    }
    if (c < '0' || c > '7' || n > (std::numeric_limits<std::int64_t>::max() >> 3)) return std::nullopt;
    digits = true;
    n = n << 3 | (c - '0');
  }
  return n;
}

inline std::string_view tar_text(std::string_view field) { return field.substr(0, field.find('\0')); }

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number n{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

}  // namespace detail

BERTH_DECL std::string tar_header(const tar_entry& e) {
  static constexpr char types[] = {'0', '1', '2', '3', '4', '5', '6'};
  std::string pax;
  if (e.name.size() > 100) detail::put_pax_record(pax, "path", e.name);
  if (e.target.size() > 100) detail::put_pax_record(pax, "linkpath", e.target);
  if (e.size > 077777777777ull) detail::put_pax_record(pax, "size", std::to_string(e.size));
  if (e.uid > 07777777) detail::put_pax_record(pax, "uid", std::to_string(e.uid));
  if (e.gid > 07777777) detail::put_pax_record(pax, "gid", std::to_string(e.gid));
  if (e.mtime < 0 || e.mtime > 077777777777ll) detail::put_pax_record(pax, "mtime", std::to_string(e.mtime));
  for (const auto& [key, value] : e.xattrs) {
    if (key.find('=') == key.npos) detail::put_pax_record(pax, std::string(detail::tar_xattr) + key, value);
  }
  std::string out;
  if (!pax.empty()) {
    tar_entry about;
    about.mode = 0644;
    detail::put_tar_block(out, about, 'x', "PaxHeaders/entry", pax.size());
    out += pax;
    out.append(tar_padding(pax.size()), '\0');
  }
  detail::put_tar_block(out, e, types[static_cast<int>(e.kind)], e.name, e.kind == tar_kind::file ? e.size : 0);
  return out;
}

BERTH_DECL void tar_reader::append(std::string_view data) {
  if (ended_ || failed_) return;
  bytes_.erase(0, at_);
  at_ = 0;
  bytes_ += data;
}

BERTH_DECL error tar_reader::broken(std::string message) {
  bytes_.clear();
  at_ = 0;
  failed_ = make_error(errc::invalid, "tar", std::move(message));
  return *failed_;
}

BERTH_DECL result<std::optional<tar_reader::piece>> tar_reader::next() {
  using kind = piece::kind;
  for (;;) {
    if (failed_) return *failed_;
    if (ended_) return std::optional<piece>(piece{});
    const std::string_view rest = std::string_view(bytes_).substr(at_);
    if (content_left_ > 0) {
      if (rest.empty()) return std::optional<piece>();
      piece out;
      out.what = kind::content;
      out.content = rest.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), content_left_)));
      content_left_ -= out.content.size();
      at_ += out.content.size();
      return std::optional<piece>(std::move(out));
    }
    if (skip_ > 0) {
      if (rest.empty()) return std::optional<piece>();
      const std::size_t n = std::min(skip_, rest.size());
      skip_ -= n;
      at_ += n;
      continue;
    }
    if (meta_ != 0) {
      if (rest.size() < meta_size_) return std::optional<piece>();
      const std::string_view content = rest.substr(0, meta_size_);
      at_ += meta_size_;
      skip_ = tar_padding(meta_size_);
      const char what = std::exchange(meta_, '\0');
      if (what == 'L') next_.name = detail::tar_text(content);
      else if (what == 'K') next_.target = detail::tar_text(content);
      else if (what == 'x' && !take_pax(content)) return broken("a pax header that cannot be read");
      continue;
    }
    if (rest.size() < detail::tar_block) return std::optional<piece>();
    at_ += detail::tar_block;
    auto header = take_header(rest.substr(0, detail::tar_block));
    if (!header) return header;
    if (*header) return header;
  }
}

BERTH_DECL bool tar_reader::take_pax(std::string_view records) {
  while (!records.empty()) {
    const std::size_t blank = records.find(' ');
    if (blank == records.npos || blank > 7) return false;
    const auto length = detail::whole_number<std::size_t>(records.substr(0, blank));
    if (!length || *length < blank + 3 || *length > records.size() || records[*length - 1] != '\n') return false;
    const std::string_view record = records.substr(blank + 1, *length - blank - 2);
    records.remove_prefix(*length);
    const std::size_t equals = record.find('=');
    if (equals == record.npos) return false;
    const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    if (key == "path") {
      next_.name = value;
    } else if (key == "linkpath") {
      next_.target = value;
    } else if (key == "size") {
      if (!(next_.size = detail::whole_number<std::uint64_t>(value))) return false;
    } else if (key == "uid") {
      if (!(next_.uid = detail::whole_number<std::uint32_t>(value))) return false;
    } else if (key == "gid") {
      if (!(next_.gid = detail::whole_number<std::uint32_t>(value))) return false;
    } else if (key == "mtime") {
      if (!(next_.mtime = detail::whole_number<std::int64_t>(value.substr(0, value.find('.'))))) return false;
    } else if (key.starts_with("GNU.sparse.")) {
      next_.sparse = true;
    } else if (key.starts_with(detail::tar_xattr)) {
      next_.xattrs.emplace_back(key.substr(detail::tar_xattr.size()), value);
    }
  }
  // Several headers in a row add to each other.
  std::size_t held = 0;
  for (const auto& [key, value] : next_.xattrs) held += key.size() + value.size();
  return held <= detail::tar_meta_limit;
}

BERTH_DECL result<std::optional<tar_reader::piece>> tar_reader::take_header(std::string_view block) {
  if (block.find_first_not_of('\0') == block.npos) {
    ended_ = true;  // the second block of zeros is left out by some
    bytes_.clear();
    at_ = 0;
    return std::optional<piece>(piece{});
  }
  unsigned sum = 8 * ' ';
  int signed_sum = 8 * ' ';  // of old programs
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (i >= 148 && i < 156) continue;
    sum += static_cast<unsigned char>(block[i]);
    signed_sum += static_cast<signed char>(block[i]);
  }
  const auto said = detail::tar_number(block.substr(148, 8));
  if (!said || (*said != sum && *said != signed_sum)) return broken("not a tar archive, or a damaged one");
  const auto mode = detail::tar_number(block.substr(100, 8));
  const auto uid = detail::tar_number(block.substr(108, 8)), gid = detail::tar_number(block.substr(116, 8));
  const auto size = detail::tar_number(block.substr(124, 12)), mtime = detail::tar_number(block.substr(136, 12));
  constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
  if (!mode || !uid || !gid || !size || !mtime || *size < 0 || *mode < 0 || *uid < 0 || *gid < 0 || *uid > most ||
      *gid > most)
    return broken("a header with a number that is none");
  const char type = block[156];
  if (type == 'x' || type == 'g' || type == 'L' || type == 'K') {
    if (static_cast<std::uint64_t>(*size) > detail::tar_meta_limit) return broken("a header of more than 1 MiB");
    meta_ = type;
    meta_size_ = static_cast<std::size_t>(*size);
    return std::optional<piece>();
  }
  overrides over = std::exchange(next_, {});
  piece out;
  out.what = piece::kind::entry;
  tar_entry& e = out.entry;
  const std::string_view prefix = detail::tar_text(block.substr(345, 155));
  e.name = detail::tar_text(block.substr(0, 100));
  if (block.substr(257, 6) == std::string_view("ustar\0", 6) && !prefix.empty())
    e.name = std::string(prefix) + "/" + e.name;
  if (over.name) e.name = std::move(*over.name);
  e.target = over.target ? std::move(*over.target) : std::string(detail::tar_text(block.substr(157, 100)));
  e.mode = static_cast<std::uint32_t>(*mode) & 07777;
  e.uid = over.uid.value_or(static_cast<std::uint32_t>(*uid));
  e.gid = over.gid.value_or(static_cast<std::uint32_t>(*gid));
  e.mtime = over.mtime.value_or(*mtime);
  e.xattrs = std::move(over.xattrs);
  switch (type) {
    case '0':
    case '7':
    case '\0': e.kind = e.name.ends_with('/') ? tar_kind::directory : tar_kind::file; break;
    case '1': e.kind = tar_kind::hard_link; break;
    case '2': e.kind = tar_kind::symlink; break;
    case '3': e.kind = tar_kind::character_device; break;
    case '4': e.kind = tar_kind::block_device; break;
    case '5': e.kind = tar_kind::directory; break;
    case '6': e.kind = tar_kind::fifo; break;
    default: return broken("an entry of a kind that files do not have: " + std::to_string(static_cast<int>(type)));
  }
  if (over.sparse) return broken("a file with holes, which is not supported");
  if (e.name.empty() || e.name.size() > detail::tar_name_limit || e.target.size() > detail::tar_name_limit ||
      e.name.find('\0') != e.name.npos || e.target.find('\0') != e.target.npos)
    return broken("an entry with a name that is none");
  if (e.kind == tar_kind::character_device || e.kind == tar_kind::block_device) {
    const auto high = detail::tar_number(block.substr(329, 8)), low = detail::tar_number(block.substr(337, 8));
    if (!high || !low || *high < 0 || *low < 0 || *high > most || *low > most)
      return broken("a device with a number that is none");
    e.device_major = static_cast<std::uint32_t>(*high);
    e.device_minor = static_cast<std::uint32_t>(*low);
  }
  if (e.kind == tar_kind::file) {
    e.size = over.size.value_or(static_cast<std::uint64_t>(*size));
    content_left_ = e.size;
    skip_ = tar_padding(e.size);
  }
  return std::optional<piece>(std::move(out));
}

}  // namespace berth

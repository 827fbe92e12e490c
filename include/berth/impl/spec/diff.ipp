// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/spec/detail/document.hpp>
#include <berth/spec/detail/member_index.hpp>
#include <berth/spec/diff.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

BERTH_HIDDEN_BEGIN
namespace berth {
namespace detail {

/// Equal in meaning: as `same_json`, but the order of keys does not count.
inline bool equal_json(const json_value& a, const json_value& b) {
  if (a.GetType() != b.GetType()) return false;
  if (a.IsArray()) return std::equal(a.Begin(), a.End(), b.Begin(), b.End(), equal_json);
  if (!a.IsObject()) return same_json(a, b);
  if (a.MemberCount() != b.MemberCount()) return false;
  member_index others(b);
  for (auto m = a.MemberBegin(); m != a.MemberEnd(); ++m) {
    const json_value* const other = others.find(text_of(m->name));
    if (other == nullptr || !equal_json(m->value, *other)) return false;
  }
  return true;
}

/// The same for values that are equal in meaning.
inline std::size_t fingerprint(const json_value& v) {
  constexpr std::size_t factor = 0x9e3779b97f4a7c15u;
  std::size_t out = static_cast<std::size_t>(v.GetType()) + 1;
  if (v.IsString()) return out + std::hash<std::string_view>()(text_of(v)) * factor;
  if (v.IsArray())
    for (const json_value& element : v.GetArray()) out = (out ^ fingerprint(element)) * factor;
  if (v.IsObject())
    for (auto m = v.MemberBegin(); m != v.MemberEnd(); ++m)
      out += (std::hash<std::string_view>()(text_of(m->name)) ^ (fingerprint(m->value) * factor)) * factor;
  return out;
}

/// Numbers for values, the same one for those that are equal: each value is walked once, whatever it is compared with.
class value_numbers {
 public:
  std::uint32_t of(const json_value& v) {
    std::vector<std::pair<const json_value*, std::uint32_t>>& alike = known_[fingerprint(v)];
    for (const auto& [other, number] : alike)
      if (equal_json(*other, v)) return number;
    alike.emplace_back(&v, next_);
    return next_++;
  }

 private:
  std::unordered_map<std::size_t, std::vector<std::pair<const json_value*, std::uint32_t>>> known_;
  std::uint32_t next_ = 0;
};

class spec_differ {
 public:
  std::vector<spec_change> changes;

  void compare(const json_value& a, const json_value& b) {
    if (a.IsObject() && b.IsObject()) {
      objects(a, b);
    } else if (a.IsArray() && b.IsArray()) {
      arrays(a, b);
    } else if (!equal_json(a, b)) {
      changes.push_back({pointer_, spec_change::kind::changed, text(a), text(b)});
    }
  }

 private:
  using size = rapidjson::SizeType;

  static std::string text(const json_value& v) {
    std::string out;
    write_json(out, v, 0);
    return out;
  }

  /// Does `then` one key further down. The pointer is kept in one place: only changes make copies of it.
  template <class Then>
  void below(std::string_view key, Then&& then) {
    const std::size_t length = pointer_.size();
    pointer_ += '/';
    for (char c : key) {
      if (c == '~') {
        pointer_ += "~0";
      } else if (c == '/') {
        pointer_ += "~1";
      } else {
        pointer_ += c;
      }
    }
    then();
    pointer_.resize(length);
  }

  void added(const json_value& v, std::string_view key) {
    below(key, [&] { changes.push_back({pointer_, spec_change::kind::added, {}, text(v)}); });
  }
  void removed(const json_value& v, std::string_view key) {
    below(key, [&] { changes.push_back({pointer_, spec_change::kind::removed, text(v), {}}); });
  }

  void objects(const json_value& a, const json_value& b) {
    member_index after(b);
    for (auto m = a.MemberBegin(); m != a.MemberEnd(); ++m) {
      const std::string_view key = text_of(m->name);
      const json_value* const other = after.find(key);
      if (other == nullptr) {
        removed(m->value, key);
      } else {
        below(key, [&] { compare(m->value, *other); });
      }
    }
    member_index before(a);
    for (auto n = b.MemberBegin(); n != b.MemberEnd(); ++n)
      if (before.find(text_of(n->name)) == nullptr) added(n->value, text_of(n->name));
  }

  void arrays(const json_value& a, const json_value& b) {
    size front = 0;
    const size shorter = std::min(a.Size(), b.Size());
    while (front < shorter && equal_json(a[front], b[front])) ++front;
    size back = 0;
    while (back < shorter - front && equal_json(a[a.Size() - 1 - back], b[b.Size() - 1 - back])) ++back;
    size i = front;
    size j = front;
    for (const auto& [a_end, b_end] : runs(a, b, front, a.Size() - back, b.Size() - back)) {
      // A run without a common element: its elements stand against each other as far as they go.
      for (; i < a_end && j < b_end; ++i, ++j) below(std::to_string(j), [&] { compare(a[i], b[j]); });
      for (; i < a_end; ++i) removed(a[i], std::to_string(i));
      for (; j < b_end; ++j) added(b[j], std::to_string(j));
      ++i, ++j;  // the common element
    }
  }

  /// The ends of the runs between the elements that both have in common, from `front` on, in order; the last is the end.
  std::vector<std::pair<size, size>> runs(const json_value& a, const json_value& b, size front, size a_end,
                                          size b_end) {
    std::vector<std::pair<size, size>> out;
    const size rows = a_end - front;
    const size columns = b_end - front;
    // The longest common subsequence of what is left. Where that would cost too much, elements are taken in pairs instead.
    const std::size_t cells = (rows + std::size_t{1}) * (columns + std::size_t{1});
    if (rows != 0 && columns != 0 && rows <= 1024 && columns <= 1024 && cells <= cells_left_) {
      cells_left_ -= cells;
      value_numbers numbers;
      std::vector<std::uint32_t> in_a(rows);
      std::vector<std::uint32_t> in_b(columns);
      for (size i = 0; i < rows; ++i) in_a[i] = numbers.of(a[front + i]);
      for (size j = 0; j < columns; ++j) in_b[j] = numbers.of(b[front + j]);
      std::vector<std::uint16_t> common(cells, 0);
      const auto at = [&](size i, size j) -> std::uint16_t& { return common[i * (columns + std::size_t{1}) + j]; };
      for (size i = rows; i-- > 0;)
        for (size j = columns; j-- > 0;)
          at(i, j) = in_a[i] == in_b[j] ? static_cast<std::uint16_t>(at(i + 1, j + 1) + 1)
                                        : std::max(at(i + 1, j), at(i, j + 1));
      for (size i = 0, j = 0; i < rows && j < columns;) {
        if (in_a[i] == in_b[j]) {
          out.emplace_back(front + i++, front + j++);
        } else if (at(i + 1, j) >= at(i, j + 1)) {
          ++i;
        } else {
          ++j;
        }
      }
    }
    out.emplace_back(a_end, b_end);
    return out;
  }

  std::string pointer_;                 ///< of what is compared
  std::size_t cells_left_ = 16u << 20;  ///< of all tables for common subsequences together
};

}  // namespace detail

BERTH_DECL std::vector<spec_change> diff_specs(const spec_builder& before, const spec_builder& after) {
  detail::spec_differ differ;
  differ.compare(before.document().root, after.document().root);
  return std::move(differ.changes);
}

BERTH_DECL std::string format_diff(const std::vector<spec_change>& changes) {
  std::string out;
  for (const spec_change& change : changes) {
    switch (change.what) {
      case spec_change::kind::added: out += "+ " + change.pointer + ' ' + change.after; break;
      case spec_change::kind::removed: out += "- " + change.pointer + ' ' + change.before; break;
      case spec_change::kind::changed:
        out += "~ " + change.pointer + ' ' + change.before + " -> " + change.after;
        break;
    }
    out += '\n';
  }
  return out;
}

}  // namespace berth
BERTH_HIDDEN_END

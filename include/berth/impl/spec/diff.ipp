#pragma once

#include <berth/spec/detail/document.hpp>
#include <berth/spec/diff.hpp>

#include <algorithm>

BERTH_HIDDEN_BEGIN
namespace berth {
namespace detail {

/// Equal in meaning: as `same_json`, but the order of keys does not count.
inline bool equal_json(const json_value& a, const json_value& b) {
  if (a.GetType() != b.GetType()) return false;
  if (a.IsArray()) return std::equal(a.Begin(), a.End(), b.Begin(), b.End(), equal_json);
  if (!a.IsObject()) return same_json(a, b);
  if (a.MemberCount() != b.MemberCount()) return false;
  for (auto m = a.MemberBegin(); m != a.MemberEnd(); ++m) {
    const auto n = b.FindMember(m->name);
    if (n == b.MemberEnd() || !equal_json(m->value, n->value)) return false;
  }
  return true;
}

class spec_differ {
 public:
  std::vector<spec_change> changes;

  void compare(const json_value& a, const json_value& b, const std::string& pointer) {
    if (a.IsObject() && b.IsObject()) {
      objects(a, b, pointer);
    } else if (a.IsArray() && b.IsArray()) {
      arrays(a, b, pointer);
    } else if (!equal_json(a, b)) {
      changes.push_back({pointer, spec_change::kind::changed, text(a), text(b)});
    }
  }

 private:
  using size = rapidjson::SizeType;

  static std::string text(const json_value& v) {
    std::string out;
    write_json(out, v, 0);
    return out;
  }

  static std::string below(const std::string& pointer, std::string_view key) {
    std::string out = pointer + '/';
    for (char c : key) {
      if (c == '~') {
        out += "~0";
      } else if (c == '/') {
        out += "~1";
      } else {
        out += c;
      }
    }
    return out;
  }

  void added(const json_value& v, std::string pointer) {
    changes.push_back({std::move(pointer), spec_change::kind::added, {}, text(v)});
  }
  void removed(const json_value& v, std::string pointer) {
    changes.push_back({std::move(pointer), spec_change::kind::removed, text(v), {}});
  }

  void objects(const json_value& a, const json_value& b, const std::string& pointer) {
    for (auto m = a.MemberBegin(); m != a.MemberEnd(); ++m) {
      const auto n = b.FindMember(m->name);
      const std::string at = below(pointer, text_of(m->name));
      if (n == b.MemberEnd()) {
        removed(m->value, at);
      } else {
        compare(m->value, n->value, at);
      }
    }
    for (auto n = b.MemberBegin(); n != b.MemberEnd(); ++n)
      if (a.FindMember(n->name) == a.MemberEnd()) added(n->value, below(pointer, text_of(n->name)));
  }

  void arrays(const json_value& a, const json_value& b, const std::string& pointer) {
    size front = 0;
    const size shorter = std::min(a.Size(), b.Size());
    while (front < shorter && equal_json(a[front], b[front])) ++front;
    size back = 0;
    while (back < shorter - front && equal_json(a[a.Size() - 1 - back], b[b.Size() - 1 - back])) ++back;
    const size a_end = a.Size() - back;
    const size b_end = b.Size() - back;
    const size rows = a_end - front;
    const size columns = b_end - front;
    // The longest common subsequence of what is left; beyond this size elements are taken in pairs instead.
    std::vector<std::uint16_t> common;
    if (rows <= 1024 && columns <= 1024 && rows != 0 && columns != 0) {
      common.assign((rows + 1) * (columns + 1), 0);
      for (size i = rows; i-- > 0;)
        for (size j = columns; j-- > 0;)
          common[i * (columns + 1) + j] =
              equal_json(a[front + i], b[front + j])
                  ? static_cast<std::uint16_t>(common[(i + 1) * (columns + 1) + j + 1] + 1)
                  : std::max(common[(i + 1) * (columns + 1) + j], common[i * (columns + 1) + j + 1]);
    }
    size i = 0;
    size j = 0;
    while (i < rows || j < columns) {
      // A run without a common element: its elements stand against each other as far as they go.
      size i_end = rows;
      size j_end = columns;
      if (!common.empty()) {
        i_end = i;
        j_end = j;
        while (i_end < rows && j_end < columns && !equal_json(a[front + i_end], b[front + j_end])) {
          if (common[(i_end + 1) * (columns + 1) + j_end] >= common[i_end * (columns + 1) + j_end + 1]) {
            ++i_end;
          } else {
            ++j_end;
          }
        }
        if (i_end == rows || j_end == columns) {
          i_end = rows;
          j_end = columns;
        }
      }
      while (i < i_end || j < j_end) {
        if (i < i_end && j < j_end) {
          compare(a[front + i], b[front + j], below(pointer, std::to_string(front + j)));
          ++i, ++j;
        } else if (i < i_end) {
          removed(a[front + i], below(pointer, std::to_string(front + i)));
          ++i;
        } else {
          added(b[front + j], below(pointer, std::to_string(front + j)));
          ++j;
        }
      }
      if (i < rows && j < columns) ++i, ++j;  // the common element
    }
  }
};

}  // namespace detail

BERTH_DECL std::vector<spec_change> diff_specs(const spec_builder& before, const spec_builder& after) {
  detail::spec_differ differ;
  differ.compare(before.document().root, after.document().root, {});
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

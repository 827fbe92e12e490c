// SPDX-License-Identifier: Apache-2.0
// The members of one object, found by name many times.
#pragma once

#include <berth/spec/detail/document.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

BERTH_HIDDEN_BEGIN
namespace berth::detail {

/// Walking one object by the keys of another costs in proportion to both: keys that come in this object's own order cost a
/// comparison each, and the first that does not sorts the names, once. The object must outlive the index, unchanged.
class member_index {
 public:
  explicit member_index(const json_value& object) : first_(object.MemberBegin()), size_(object.MemberCount()) {}

  /// The value, JSON's null included, or null when there is no such member.
  const json_value* find(std::string_view key) {
    if (next_ < size_ && name(next_) == key) return value(next_++);
    const std::uint32_t at = size_ <= few ? by_pairs(key) : by_order(key);
    if (at == size_) return nullptr;
    next_ = at + 1;
    return value(at);
  }

 private:
  static constexpr std::uint32_t few = 16;

  std::string_view name(std::uint32_t at) const { return text_of((first_ + static_cast<std::ptrdiff_t>(at))->name); }
  const json_value* value(std::uint32_t at) const { return &(first_ + static_cast<std::ptrdiff_t>(at))->value; }

  std::uint32_t by_pairs(std::string_view key) const {
    std::uint32_t at = 0;
    while (at < size_ && name(at) != key) ++at;
    return at;
  }

  std::uint32_t by_order(std::string_view key) {
    if (sorted_.empty()) {
      sorted_.resize(size_);
      for (std::uint32_t i = 0; i < size_; ++i) sorted_[i] = i;
      std::sort(sorted_.begin(), sorted_.end(), [&](std::uint32_t a, std::uint32_t b) { return name(a) < name(b); });
    }
    const auto found = std::lower_bound(sorted_.begin(), sorted_.end(), key,
                                        [&](std::uint32_t at, std::string_view wanted) { return name(at) < wanted; });
    return found != sorted_.end() && name(*found) == key ? *found : size_;
  }

  json_value::ConstMemberIterator first_;
  std::uint32_t size_;
  std::uint32_t next_ = 0;  ///< behind the member that was found last
  std::vector<std::uint32_t> sorted_;
};

}  // namespace berth::detail
BERTH_HIDDEN_END

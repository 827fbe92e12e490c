// SPDX-License-Identifier: Apache-2.0
// The directory that an OCI image layout is, or is to be, and an image that is made for it meanwhile.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace berth::detail {

/// The text of a layout's index.json with the images of `added` in it, another index, in place of those of that tag. Whatever else
/// stands in it stays. `index` may be empty. Errors: invalid.
BERTH_DECL result<std::string> merge_image_index(std::string_view index, std::string_view added, std::string_view tag);

struct measured_image {
  std::string digest;
  std::uint64_t size = 0;
};

/// A directory for work, in the layout or, where there is none yet, beside it; `layout` in that is the one that is made. What
/// another user does to the path meanwhile changes nothing: everything goes by open directories. The destructor removes it.
class image_workplace {
 public:
  /// Errors: errno's; invalid (neither a layout nor an empty directory).
  BERTH_DECL static result<image_workplace> make(const std::string& layout);
  image_workplace(image_workplace&& other) noexcept = default;
  image_workplace& operator=(image_workplace&&) = delete;
  BERTH_DECL ~image_workplace();

  /// A path of or in it, for whatever goes by paths, children too; as long as this object lives.
  BERTH_DECL std::string path(std::string_view name = {}) const;
  /// Of the one image there. Errors: errno's, internal.
  BERTH_DECL result<measured_image> measure() const;
  /// Puts it where it is to be, whole: all of it or nothing. Errors: exists, timeout (the layout's lock), errno's, cancelled.
  BERTH_DECL boost::asio::awaitable<result<void>> publish(std::string_view tag);

 private:
  image_workplace() = default;
  result<void> publish_new();
  result<void> add(std::string_view tag);
  error failed(int err, std::string message) const;

  std::string layout_;     // as it was given
  unique_fd parent_;       // of the layout, where there is none yet
  std::string name_;       // of the layout there
  unique_fd target_;       // the layout that is there
  unique_fd work_;         // none: moved from
  std::string work_name_;  // in the one or the other
};

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/image_layout.ipp>
#endif

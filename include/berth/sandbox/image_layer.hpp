// SPDX-License-Identifier: Apache-2.0
// A tar of files as a layer of an OCI image, where removals are files whose names begin with `.wh.`. Pure, no I/O.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/tar.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace berth {

/// Takes a tar as it comes and gives the layer. What overlayfs has for removals (sandbox::export_changes) becomes what images
/// have: a character device 0:0, or a hard link to one, is an empty file `.wh.NAME` (a whiteout), and a directory with the
/// attribute trusted.overlay.opaque has an empty file `.wh..wh..opq` in it. Names lose the `./` that they begin with. Attributes of
/// the kind trusted.* and security.selinux are this host's, and are left out; everything else is as it was: owners, setuid bits,
/// device nodes.
///
/// The archive may be a sandbox's: hostile. What is held in memory is bounded: a header, and the names of removals.
class image_layer_converter {
 public:
  /// Names of removals that are remembered, in bytes: a hard link to any of them is one more.
  static constexpr std::size_t most_removal_bytes = std::size_t{64} << 20;

  /// Appends to `out` what `tar` is in the layer; some bytes may be waited for. Errors, with the entry's name as the path: invalid
  /// (no tar, a name with `..` or from the root on), unsupported (a name that begins with `.wh.`, which an image has no form
  /// for), too_big. After one, no more is taken.
  BERTH_DECL result<void> convert(std::string_view tar, std::string& out);
  /// The archive was whole: appends the end. Errors: invalid, where it was cut short.
  BERTH_DECL result<void> finish(std::string& out);

 private:
  result<void> put_entry(tar_entry e, std::string& out);

  tar_reader reader_;
  std::set<std::string, std::less<>> removed_;
  std::size_t removed_bytes_ = 0;
  std::uint64_t content_left_ = 0;
  std::size_t padding_ = 0;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/image_layer.ipp>
#endif

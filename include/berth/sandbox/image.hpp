// SPDX-License-Identifier: Apache-2.0
// An image made of a sandbox, as an OCI image layout on disk: what skopeo copies to a registry.
#pragma once

#include <berth/base/result.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

struct image_options {
  std::string layout;  ///< a directory: an OCI image layout, an empty one, or none yet, in a directory that is there
  std::string tag;     ///< the image's name in the layout; one that is there is replaced
  // What the image says of containers that are made of it; nothing of the sandbox's goes there by itself.
  std::vector<std::string> env;  ///< "K=V"
  std::string workdir;           ///< absolute, or empty
  std::vector<std::string> entrypoint, command;
  std::string author;
  std::string message;          ///< stands in the image's history
  std::string umoci = "umoci";  ///< the program; looked up in the usual directories unless it holds a slash
};

struct committed_image {
  std::string digest;      ///< of its manifest: "sha256:…"
  std::uint64_t size = 0;  ///< of its manifest, configuration and compressed layers, in bytes
};

/// Whether both Docker and umoci take it: at most 128 letters and digits, with `.`, `_`, `-` or `--` between them. Errors: invalid.
BERTH_DECL result<void> check_image_tag(std::string_view tag);

/// Checks all that can be checked without the sandbox. Errors: invalid.
BERTH_DECL result<void> check_image_options(const image_options& options);

/// Makes an image of a sandbox that runs, and goes on running: one layer of the directory that its root file system is, one of
/// what it changed there (export_changes). What lies on a mount of its own, a tmpfs or Docker's data root, is not in it, nor is
/// memory. umoci packs it; blobs have mode 0600, a layout that was not there 0700.
///
/// Until the image is whole it is in a directory of mode 0700, `.berth-commit-…`: in the layout, or beside it where there is none
/// yet. A failure or a cancellation removes that and leaves the layout as it was; one that was there keeps its other tags.
/// Several at a time may add to one layout that is there.
///
/// On the loop's thread, which reads the root file system in pieces between other work. `box` is held until the end.
/// Errors: invalid, not_found (umoci, the directory for the layout), exists (the layout was made by somebody else meanwhile),
/// process_exited (umoci failed; its words are in the error), unsupported (a root file system that is `/`; a file whose name begins
/// with .wh.), too_big, timeout (somebody else keeps the layout locked), errno's; as export_changes.
BERTH_DECL boost::asio::awaitable<result<committed_image>> commit_image(std::shared_ptr<sandbox> box,
                                                                        image_options options);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/image.ipp>
#endif

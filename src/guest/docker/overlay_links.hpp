// SPDX-License-Identifier: Apache-2.0
// Short names for the layers of deep images in overlay2, Docker's own store, so that Docker's limit of 125 layers is the limit.
//
// mount(2) takes one page of options. overlay2 names each layer by a link of 26 characters in its directory `l`, and where the
// page does not hold them all, it mounts with paths relative to its own directory, which gVisor's overlay refuses (gvisor#14699).
// What a layer lies on is read from its file `lower` ("l/LINK:l/LINK…") whenever it is mounted. Here that file gets links of
// two characters, where it names many. dockerd's own links stay, and its file `link`, which it removes a layer by.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace berth::guest {

class overlay_links {
 public:
  /// As many layers have room under their long names, in whatever directory the store is, and are left alone.
  static constexpr std::size_t few = 32;

  /// `store`: the directory overlay2 of a data root.
  explicit overlay_links(std::string store) : store_(std::move(store)) {}

  /// Where dockerd makes its links: what appears here is for added(), what goes for removed().
  std::string directory() const { return store_ + "/l"; }

  /// Reads what is there, and removes the short links of layers that are gone. False where there is no such store.
  bool scan();
  void added(std::string_view link);
  void removed(std::string_view link);
  /// Looks at the layers that were added. True when it has seen to all of them: dockerd writes a layer's files after its link.
  bool settle();
  /// Gives up on the rest of them, which lie on nothing.
  void forget_added() { unsettled_.clear(); }

 private:
  /// The layer that a link leads to, or nothing.
  std::string layer_of(std::string_view link) const;
  std::string lower_of(const std::string& layer) const;
  /// False when the layer's files are not complete.
  bool shorten(const std::string& layer);
  /// The layer's short link, made where it has none; empty where it cannot be made.
  std::string short_link(const std::string& layer);

  std::string store_;
  std::unordered_map<std::string, std::string> layers_;  ///< by dockerd's link
  std::unordered_map<std::string, std::string> short_;   ///< links of ours, by layer
  std::unordered_set<std::string> unsettled_;            ///< layers
  std::size_t next_ = 0;
};

}  // namespace berth::guest

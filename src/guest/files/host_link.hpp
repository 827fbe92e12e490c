// SPDX-License-Identifier: Apache-2.0
// A connection of the host's in a process of its own, which may wait for it.
#pragma once

#include <berth/base/unique_fd.hpp>
#include <berth/guest/file_messages.hpp>
#include <berth/guest/protocol.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::guest {

class host_link {
 public:
  /// `reader`: with what was received already; `unsent`: what is to be sent first.
  host_link(unique_fd socket, guest_frame_reader reader, std::string unsent);

  /// The next frame; nothing where the host is gone, talks nonsense, or says nothing for `patience_ms` (negative: for ever).
  std::optional<guest_frame> next(int patience_ms = -1);
  /// False once the host is gone.
  bool say(guest_frame_kind kind, std::string_view payload);
  /// Content as frames of `out`.
  bool say_content(std::string_view content);

  /// Room for content that goes as it is read: pieces of a frame's length, each with room for its header.
  struct piece {
    char* data;
    std::size_t size;
  };
  const std::vector<piece>& pieces() const { return pieces_; }
  /// Sends the first so many bytes of them.
  bool say_pieces(std::size_t bytes);

  /// Gives what comes as `input` to `take`, until `input_end`. ECANCELED where the host is gone before that, or what `take` gave.
  int take_input(const std::function<int(std::string_view)>& take);
  /// The rest of the input after a failure, which nobody wants. False where the host is gone.
  bool drop_input();
  /// Waits so long, or until the host is gone: true then.
  bool leaves_within(int ms);
  /// Whether the request's input is at its end.
  void expect_input(bool comes) { input_comes_ = comes; }

 private:
  bool send(std::string_view bytes);

  unique_fd socket_;
  guest_frame_reader reader_;
  std::vector<char> room_, received_;
  std::vector<piece> pieces_;
  bool gone_ = false;
  bool input_comes_ = false;
};

}  // namespace berth::guest

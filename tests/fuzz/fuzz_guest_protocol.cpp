// SPDX-License-Identifier: Apache-2.0
// What comes over the guest's socket, from either end: frames however cut, and each message.
#include <berth/guest/protocol.hpp>
// The pure layers' objects, which fuzz targets link, do not have it.
#include <berth/impl/guest/protocol.ipp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

// What can be read is written as it was read.
template <class Message>
void check(std::string_view payload) {
  const auto message = berth::decode_guest<Message>(payload);
  if (!message) {
    if (message.error().code != berth::errc::hostile) std::abort();
    return;
  }
  const std::string again = berth::encode(*message);
  const auto twice = berth::decode_guest<Message>(again);
  if (!twice || berth::encode(*twice) != again) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  check<berth::guest_start>(all);
  check<berth::guest_signal>(all);
  check<berth::guest_terminal_size>(all);
  check<berth::guest_grant>(all);
  check<berth::guest_started>(all);
  check<berth::guest_exited>(all);
  check<berth::guest_refused>(all);
  check<berth::guest_wake>(all);
  if (const auto hello = berth::decode_guest<berth::guest_hello>(all);
      !hello && hello.error().code != berth::errc::hostile)
    std::abort();

  // Cut in two at a place that the input chooses: the same frames come.
  const auto frames = [&](std::size_t cut) {
    berth::guest_frame_reader reader(berth::guest_frame_limit);
    std::string seen;
    for (const std::string_view part : {all.substr(0, cut), all.substr(cut)}) {
      reader.append(part);
      for (;;) {
        const auto frame = reader.next();
        if (!frame || !*frame) break;
        if ((*frame)->payload.size() > berth::guest_frame_limit) std::abort();
        berth::append_guest_frame(seen, (*frame)->kind, (*frame)->payload);
      }
    }
    return seen;
  };
  const std::string whole = frames(size);
  if (whole != frames(size == 0 ? 0 : data[0] % (size + 1))) std::abort();
  if (!all.starts_with(whole)) std::abort();
  return 0;
}

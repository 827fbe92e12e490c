// SPDX-License-Identifier: Apache-2.0
// What a sandbox says of the dockerd and the command that its guest keeps, and what the guest is asked.
#include <berth/docker/daemon_messages.hpp>
// The pure layers' objects, which fuzz targets link, do not have these.
#include <berth/impl/docker/daemon_fsm.ipp>
#include <berth/impl/docker/daemon_messages.ipp>
#include <berth/impl/docker/diagnose.ipp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

// What can be read is written so that it is read as the same.
template <class T, class Parse, class Format>
void check(std::string_view text, berth::errc bad, Parse parse, Format format) {
  const berth::result<T> message = parse(text);
  if (!message) {
    if (message.error().code != bad) std::abort();
    return;
  }
  const std::string once = format(*message);
  const berth::result<T> twice = parse(once);
  if (!twice || format(*twice) != once) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  check<berth::daemon_request>(all, berth::errc::invalid, berth::parse_daemon_request, berth::format_daemon_request);
  check<berth::daemon_news>(all, berth::errc::hostile, berth::parse_daemon_news, berth::format_daemon_news);
  check<berth::guest_status>(all, berth::errc::hostile, berth::parse_guest_status, berth::format_guest_status);
  return 0;
}

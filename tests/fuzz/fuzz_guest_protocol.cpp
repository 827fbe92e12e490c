// SPDX-License-Identifier: Apache-2.0
// What comes over the guest's socket, from either end: frames however cut, and each message.
#include <berth/base/tar.hpp>
#include <berth/guest/file_messages.hpp>
#include <berth/guest/protocol.hpp>
// The pure layers' objects, which fuzz targets link, do not have it.
#include <berth/impl/guest/file_messages.ipp>
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

// An archive, cut in two: the same pieces come, and each is bounded.
std::string pieces_of(std::string_view all, std::size_t cut) {
  berth::tar_reader reader;
  std::string seen;
  for (const std::string_view part : {all.substr(0, cut), all.substr(cut)}) {
    reader.append(part);
    for (;;) {
      const auto piece = reader.next();
      if (!piece && piece.error().code != berth::errc::invalid) std::abort();
      if (!piece) return seen + "!";
      if (!*piece) break;
      using kind = berth::tar_reader::piece::kind;
      if ((*piece)->what == kind::end) return seen + ".";
      if ((*piece)->what == kind::content) {
        seen += (*piece)->content;
        continue;
      }
      const berth::tar_entry& e = (*piece)->entry;
      if (e.name.empty() || e.name.size() > 5000 || e.target.size() > 5000) std::abort();
      // What is written of it is read as the same.
      berth::tar_reader again;
      berth::tar_entry copy = e;
      if (copy.kind != berth::tar_kind::file) copy.size = 0;
      again.append(berth::tar_header(copy));
      const auto twice = again.next();
      if (!twice || !*twice || (*twice)->entry.name != e.name || (*twice)->entry.target != e.target ||
          (*twice)->entry.size != copy.size || (*twice)->entry.mtime != e.mtime || (*twice)->entry.uid != e.uid)
        std::abort();
      seen += "[" + e.name + "]";
    }
  }
  return seen;
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
  check<berth::guest_rest>(all);
  check<berth::guest_file_request>(all);
  check<berth::guest_file_answer>(all);
  if (const auto infos = berth::decode_file_infos(all)) {
    std::string again;
    for (const auto& one : *infos) berth::append_file_info(again, one);
    if (again != all) std::abort();
  } else if (infos.error().code != berth::errc::hostile) {
    std::abort();
  }
  // Whatever comes in answer to a read stays within what was asked for.
  for (const auto verb : {berth::guest_file_request::verb::read, berth::guest_file_request::verb::list}) {
    berth::guest_file_conversation conversation(verb, 100);
    std::size_t taken = 0;
    berth::guest_frame_reader reader(berth::guest_frame_limit);
    reader.append(all);
    for (auto frame = reader.next(); frame && *frame; frame = reader.next()) {
      const auto piece = conversation.take((*frame)->kind, (*frame)->payload);
      if (!piece) break;
      taken += piece->size();
    }
    if (verb == berth::guest_file_request::verb::read && taken > 100) std::abort();
  }
  if (pieces_of(all, size) != pieces_of(all, size == 0 ? 0 : data[0] % (size + 1))) std::abort();
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

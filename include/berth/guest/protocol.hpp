// SPDX-License-Identifier: Apache-2.0
// What berth on the host and its guest in a sandbox say to each other: one codec for both ends, pure, no I/O.
// docs/reference/guest.md has the protocol in words.
#pragma once

#include <berth/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// Raised with every change that the other end could not read. Host and guest of different versions do not talk.
inline constexpr std::uint32_t guest_protocol_version = 4;

/// The name of its socket in a managed sandbox's shared directory.
inline constexpr std::string_view guest_socket_name = "guest.sock";
/// The file in the shared directory that ends a guest's retreat: guest_wake, made by the host.
inline constexpr std::string_view guest_wake_name = "wake";

/// The largest payload that the host takes from the guest, which is hostile.
inline constexpr std::size_t guest_frame_limit = 64 * 1024;
/// The largest payload that the guest takes: argv and environment of a command, for which Linux has 2 MiB.
inline constexpr std::size_t guest_request_limit = 4 * 1024 * 1024;
/// How many bytes of one stream may be under way before the receiver has asked for more.
inline constexpr std::uint32_t guest_stream_window = 512 * 1024;

/// The kinds of frames. Below 0x80: the host's; above: the guest's.
enum class guest_frame_kind : std::uint8_t {
  hello = 0x01,      ///< guest_hello, the first frame of each end
  start = 0x10,      ///< guest_start: run a command; one for a connection, which belongs to that command from then on
  input = 0x11,      ///< bytes for its stdin
  input_end = 0x12,  ///< no more of them
  signal = 0x13,     ///< guest_signal
  resize = 0x14,     ///< guest_terminal_size
  grant = 0x15,      ///< guest_grant: that many bytes more of a stream may be sent
  unwanted = 0x16,   ///< guest_grant without bytes: nobody reads that stream any more; its writer gets SIGPIPE
  daemon = 0x20,     ///< about the dockerd that the guest keeps, in place of a command; JSON, the docker layer's
  file = 0x40,  ///< guest_file_request (file_messages.hpp), in place of a command; more of them may follow its answer
  retreat = 0x30,  ///< in place of a command: give up what no checkpoint can save, until there is a guest_wake_name
  rest = 0x50,     ///< guest_rest, in place of a command: hold still, where nobody has used the sandbox for so long

  greeting = 0x81,     ///< guest_hello
  started = 0x90,      ///< guest_started
  out = 0x91,          ///< bytes of its stdout, or of its terminal
  err = 0x92,          ///< bytes of its stderr
  wanted = 0x93,       ///< guest_grant for its stdin
  exited = 0x94,       ///< guest_exited
  drained = 0x95,      ///< stdout and stderr are at their end: nothing follows
  refused = 0x96,      ///< guest_refused: the command was not started, or the request not understood; nothing follows
  deaf = 0x97,         ///< it reads its stdin no more
  daemon_news = 0xa0,  ///< the answers to `daemon`, and what came of it; JSON, the docker layer's
  file_answer = 0xc0,  ///< guest_file_answer: what `file` asked for is over
  idle_for = 0xd0,     ///< guest_rest, the answer to `rest`: how long it has not been used
  retreating = 0xb0,   ///< the answer to `retreat`: all is given up once this connection has ended
};

struct guest_hello {
  std::uint32_t version = guest_protocol_version;
  std::string program;  ///< berth's version, for people
};

struct guest_terminal_size {
  std::uint16_t rows = 24;
  std::uint16_t columns = 80;
};

/// A command, with all that is to be known about it.
struct guest_start {
  std::vector<std::string> argv;  ///< argv[0] is looked up on the PATH of its environment
  std::vector<std::string> env;   ///< "K=V", put over the guest's own
  std::string cwd;                ///< empty: the guest's own
  std::string user;               ///< docker's --user, looked up inside; empty: the guest's own. Without capabilities
                                  ///< where it is not root
  bool input = false;             ///< stdin is a pipe; else /dev/null
  std::optional<guest_terminal_size> terminal;  ///< the three streams are a terminal; its output comes as `out`
};

struct guest_signal {
  std::uint32_t number = 0;
  bool group = false;  ///< the whole process group
};

struct guest_grant {
  std::uint8_t stream = 0;  ///< 0 stdin, 1 stdout, 2 stderr
  std::uint32_t bytes = 0;
};

struct guest_started {
  std::uint32_t pid = 0;
};

struct guest_exited {
  std::uint32_t code = 0;
  std::uint32_t signal = 0;
};

struct guest_refused {
  /// 127: no such program; 126: it cannot be executed, or its directory is absent; 0: the request itself was refused.
  std::uint32_t exit_code = 0;
  std::uint32_t sys_errno = 0;
  std::string message;
};

/// How long nobody has used a sandbox, or must not have. A guest that answers `rest` with no less than was asked for takes nothing
/// from the host any more until this connection ends, or for guest_rest_limit_ms: what is said meanwhile waits, for the host to see.
struct guest_rest {
  std::uint32_t ms = 0;
};
inline constexpr int guest_rest_limit_ms = 10'000;

/// The content of the file guest_wake_name: what has become of a guest that retreated.
struct guest_wake {
  bool restored = false;  ///< restored from a checkpoint; else all is as it was
  // Of what was restored:
  std::string address;  ///< its IPv4 address, empty where it has none
  std::string hostname;
  bool same = false;  ///< it is the sandbox that was saved, and no copy
};

/// A frame as it lies in a buffer: header (length of the payload as 32 bits little-endian, kind, three zero bytes), payload.
inline constexpr std::size_t guest_header_size = 8;

struct guest_frame {
  guest_frame_kind kind{};
  std::string_view payload;  ///< until the reader's next call
};

/// Cuts a stream of bytes into frames. After an error it gives that error for ever.
class guest_frame_reader {
 public:
  explicit guest_frame_reader(std::size_t limit) : limit_(limit) {}
  /// Adds what was read. Takes no more than a frame's length ahead, where the caller reads pieces of bounded size.
  BERTH_DECL void append(std::string_view data);
  /// The next whole frame, or nothing yet. Errors: hostile, for a length over the limit or a header that is none.
  BERTH_DECL result<std::optional<guest_frame>> next();
  /// Bytes that were added and are of no frame that was given.
  std::size_t buffered() const noexcept { return bytes_.size() - at_; }

 private:
  std::size_t limit_;
  std::string bytes_;
  std::size_t at_ = 0;
  bool broken_ = false;
};

/// Appends a frame's header and payload.
BERTH_DECL void append_guest_frame(std::string& to, guest_frame_kind kind, std::string_view payload);

// Each message as the payload of its frame, and back. What cannot be read, or is out of its range, is errc::hostile.
BERTH_DECL std::string encode(const guest_hello& m);
BERTH_DECL std::string encode(const guest_start& m);
BERTH_DECL std::string encode(const guest_signal& m);
BERTH_DECL std::string encode(const guest_terminal_size& m);
BERTH_DECL std::string encode(const guest_grant& m);
BERTH_DECL std::string encode(const guest_started& m);
BERTH_DECL std::string encode(const guest_exited& m);
BERTH_DECL std::string encode(const guest_refused& m);
BERTH_DECL std::string encode(const guest_rest& m);
BERTH_DECL std::string encode(const guest_wake& m);
template <class Message>
result<Message> decode_guest(std::string_view payload);
template <>
BERTH_DECL result<guest_hello> decode_guest<guest_hello>(std::string_view payload);
template <>
BERTH_DECL result<guest_start> decode_guest<guest_start>(std::string_view payload);
template <>
BERTH_DECL result<guest_signal> decode_guest<guest_signal>(std::string_view payload);
template <>
BERTH_DECL result<guest_terminal_size> decode_guest<guest_terminal_size>(std::string_view payload);
template <>
BERTH_DECL result<guest_grant> decode_guest<guest_grant>(std::string_view payload);
template <>
BERTH_DECL result<guest_started> decode_guest<guest_started>(std::string_view payload);
template <>
BERTH_DECL result<guest_exited> decode_guest<guest_exited>(std::string_view payload);
template <>
BERTH_DECL result<guest_refused> decode_guest<guest_refused>(std::string_view payload);
template <>
BERTH_DECL result<guest_rest> decode_guest<guest_rest>(std::string_view payload);
template <>
BERTH_DECL result<guest_wake> decode_guest<guest_wake>(std::string_view payload);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/guest/protocol.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
#include <berth/guest/conversation.hpp>
#include <berth/guest/protocol.hpp>

#include <gtest/gtest.h>

#include <string>

namespace berth {
namespace {

using kind = guest_frame_kind;
using phase = guest_conversation::phase;

std::string framed(kind k, std::string_view payload = {}) {
  std::string out;
  append_guest_frame(out, k, payload);
  return out;
}

TEST(GuestFrames, ComeWholeHoweverTheyAreCut) {
  const std::string stream = framed(kind::out, "abc") + framed(kind::drained) + framed(kind::err, std::string(70, 'x'));
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    guest_frame_reader reader(guest_frame_limit);
    std::string seen;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      reader.append(std::string_view(stream).substr(at, step));
      for (;;) {
        auto frame = reader.next();
        ASSERT_TRUE(frame);
        if (!*frame) break;
        seen += std::to_string(static_cast<int>((*frame)->kind)) + ":" + std::string((*frame)->payload) + ";";
      }
    }
    EXPECT_EQ(seen, "145:abc;149:;146:" + std::string(70, 'x') + ";") << step;
  }
}

TEST(GuestFrames, NonsenseIsAnErrorForEver) {
  const std::string too_long = std::string("\x01\x00\x01\x00", 4) + "\x91" + std::string(3, '\0');
  const std::string no_kind = std::string(4, '\0') + "\x42" + std::string(3, '\0');
  const std::string dirty = std::string(4, '\0') + "\x95" + std::string("\0\0\1", 3);
  for (const std::string& bad : {too_long, no_kind, dirty}) {
    guest_frame_reader reader(guest_frame_limit);
    reader.append(bad);
    auto first = reader.next();
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().code, errc::hostile);
    reader.append(framed(kind::drained));
    EXPECT_FALSE(reader.next());
  }
}

TEST(GuestMessages, ComeBackAsTheyWere) {
  guest_start start;
  start.argv = {"sh", "-c", "echo \xff", ""};
  start.env = {"A=1", "B="};
  start.cwd = "/tmp";
  start.user = "web:www";
  start.input = true;
  start.terminal = guest_terminal_size{50, 132};
  auto back = decode_guest<guest_start>(encode(start));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->argv, start.argv);
  EXPECT_EQ(back->env, start.env);
  EXPECT_EQ(back->cwd, "/tmp");
  EXPECT_EQ(back->user, "web:www");
  EXPECT_TRUE(back->input);
  ASSERT_TRUE(back->terminal);
  EXPECT_EQ(back->terminal->columns, 132);

  auto exited = decode_guest<guest_exited>(encode(guest_exited{3, 0}));
  ASSERT_TRUE(exited);
  EXPECT_EQ(exited->code, 3u);
  auto rest = decode_guest<guest_rest>(encode(guest_rest{600'000}));
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->ms, 600'000u);
  auto refused = decode_guest<guest_refused>(encode(guest_refused{127, 2, "no"}));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->message, "no");
}

// Every message cut short, made longer, and with a number out of its range.
TEST(GuestMessages, WhatCannotBeReadIsHostile) {
  guest_start start;
  start.argv = {"true"};
  const std::string whole = encode(start);
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(decode_guest<guest_start>(whole.substr(0, n))) << n;
  EXPECT_FALSE(decode_guest<guest_start>(whole + "x"));
  EXPECT_FALSE(decode_guest<guest_start>(encode(guest_start())));  // no program
  start.argv = {std::string("a\0b", 3)};
  EXPECT_FALSE(decode_guest<guest_start>(encode(start)));
  EXPECT_FALSE(decode_guest<guest_start>("\xff\xff\xff\xff"));
  EXPECT_FALSE(decode_guest<guest_signal>(encode(guest_signal{65, false})));
  EXPECT_FALSE(decode_guest<guest_exited>(encode(guest_exited{256, 0})));
  EXPECT_FALSE(decode_guest<guest_grant>(encode(guest_grant{0, guest_stream_window + 1})));
  EXPECT_FALSE(decode_guest<guest_started>("\xff\xff\xff\xff"));
  EXPECT_FALSE(decode_guest<guest_rest>("\xff\xff\xff\xff"));
  EXPECT_FALSE(decode_guest<guest_rest>(encode(guest_rest{1}) + "x"));
}

guest_frame frame(kind k, std::string_view payload) { return {k, payload}; }

guest_conversation running() {
  guest_conversation talk;
  EXPECT_TRUE(talk.take(frame(kind::greeting, encode(guest_hello()))));
  EXPECT_TRUE(talk.take(frame(kind::started, encode(guest_started{7}))));
  EXPECT_EQ(talk.now(), phase::running);
  EXPECT_EQ(talk.pid(), 7u);
  return talk;
}

TEST(GuestConversation, GoesItsWay) {
  guest_conversation talk = running();
  auto piece = talk.take(frame(kind::err, "oh"));
  ASSERT_TRUE(piece && *piece);
  EXPECT_EQ((*piece)->stream, output_stream::err);
  EXPECT_TRUE(talk.take(frame(kind::exited, encode(guest_exited{0, 9}))));
  EXPECT_EQ(talk.status()->signal, 9);
  EXPECT_TRUE(talk.take(frame(kind::out, "late")));  // what was in the pipe
  EXPECT_TRUE(talk.take(frame(kind::drained, {})));
  EXPECT_EQ(talk.now(), phase::drained);
}

TEST(GuestConversation, RefusesAnotherVersion) {
  guest_conversation talk;
  auto greeted = talk.take(frame(kind::greeting, encode(guest_hello{guest_protocol_version + 1, "9.9"})));
  ASSERT_FALSE(greeted);
  EXPECT_EQ(greeted.error().code, errc::unsupported);
}

TEST(GuestConversation, EndsWithWhateverIsOutOfTurn) {
  const auto hostile = [](auto&& outcome) { return !outcome && outcome.error().code == errc::hostile; };
  {
    guest_conversation talk;
    EXPECT_TRUE(hostile(talk.take(frame(kind::out, "x"))));
  }
  {
    guest_conversation talk = running();
    EXPECT_TRUE(hostile(talk.take(frame(kind::started, encode(guest_started{8})))));
  }
  {
    guest_conversation talk = running();
    EXPECT_TRUE(hostile(talk.take(frame(kind::drained, {}))));
  }
  {
    guest_conversation talk = running();
    EXPECT_TRUE(hostile(talk.take(frame(kind::start, encode(guest_start())))));  // a host's frame
  }
  {
    guest_conversation talk = running();
    EXPECT_TRUE(talk.take(frame(kind::exited, encode(guest_exited{0, 0}))));
    EXPECT_TRUE(hostile(talk.take(frame(kind::exited, encode(guest_exited{1, 0})))));
  }
  {
    guest_conversation talk = running();  // stdin that nobody sent cannot have been taken
    EXPECT_TRUE(hostile(talk.take(frame(kind::wanted, encode(guest_grant{0, 1})))));
  }
}

TEST(GuestConversation, TakesNoMoreThanItAskedFor) {
  guest_conversation talk = running();
  const std::string piece(guest_frame_limit, 'x');
  for (std::size_t n = 0; n < guest_stream_window; n += piece.size()) ASSERT_TRUE(talk.take(frame(kind::out, piece)));
  EXPECT_TRUE(talk.take(frame(kind::err, "the other stream has a window of its own")));
  {
    guest_conversation copy = talk;
    EXPECT_FALSE(copy.take(frame(kind::out, "x")));
  }
  EXPECT_EQ(talk.consumed(output_stream::out, 1), 0u);  // not worth a frame yet
  EXPECT_EQ(talk.consumed(output_stream::out, guest_stream_window / 4 - 1), guest_stream_window / 4);
  EXPECT_TRUE(talk.take(frame(kind::out, piece)));
}

}  // namespace
}  // namespace berth

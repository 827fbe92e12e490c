// SPDX-License-Identifier: Apache-2.0
// A guest that lies, floods, is silent or goes away: each ends the connection with a reason, and within its time.
#include "../process/loop.hpp"

#include <berth/guest/channel.hpp>
#include <berth/guest/detail/connect.hpp>
#include <berth/guest/files.hpp>

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>

namespace berth::test {
namespace {

class GuestChannel : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/berth-channel-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path().c_str());
    ASSERT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener_.get(), 8), 0);
  }
  void TearDown() override {
    if (guest_.joinable()) guest_.join();
    std::filesystem::remove_all(directory_);
  }
  std::string path() const { return directory_ + "/guest.sock"; }

  // The false guest: takes one connection, says this, and waits for the host to go where it does not itself.
  void guest_says(std::string words, bool goes) {
    guest_ = std::thread([fd = listener_.get(), words = std::move(words), goes] {
      const unique_fd connection(::accept(fd, nullptr, nullptr));
      (void)::send(connection.get(), words.data(), words.size(), MSG_NOSIGNAL);
      if (goes) return;
      char buffer[4096];
      while (::recv(connection.get(), buffer, sizeof buffer, 0) > 0) {
      }
    });
  }
  static std::string greeting(std::uint32_t version = guest_protocol_version) {
    std::string out;
    append_guest_frame(out, guest_frame_kind::greeting, encode(guest_hello{version, "x"}));
    return out;
  }
  result<guest_channel> open(duration patience = seconds(60)) {
    return run(guest_channel::open(path(), deadline_after(patience)));
  }
  template <class T>
  T run(boost::asio::awaitable<T> work) {
    return run_on(loop_, std::move(work));
  }

  std::string directory_;
  unique_fd listener_;
  std::thread guest_;
  boost::asio::io_context loop_{1};
};

TEST_F(GuestChannel, SilenceEndsAtTheDeadline) {
  guest_says("", false);
  const auto channel = open(milliseconds(50));
  ASSERT_FALSE(channel);
  EXPECT_EQ(channel.error().code, errc::timeout);
  EXPECT_EQ(channel.error().message, "the sandbox's guest did not answer in time");
}

TEST_F(GuestChannel, OneThatGoesAwayIsNoSandboxThatRuns) {
  guest_says("", true);
  const auto channel = open();
  ASSERT_FALSE(channel);
  EXPECT_TRUE(channel.error().code == errc::sandbox_not_running || channel.error().code == errc::io)
      << channel.error().to_string();
}

TEST_F(GuestChannel, AnotherVersionIsRefusedInWords) {
  guest_says(greeting(guest_protocol_version + 1), false);
  const auto channel = open();
  ASSERT_FALSE(channel);
  EXPECT_EQ(channel.error().code, errc::unsupported);
}

TEST_F(GuestChannel, WhatIsNoGreetingIsHostile) {
  std::string out;
  append_guest_frame(out, guest_frame_kind::daemon_news, "{}");
  guest_says(out, false);
  const auto channel = open();
  ASSERT_FALSE(channel);
  EXPECT_EQ(channel.error().code, errc::hostile);
}

TEST_F(GuestChannel, AFrameThatIsTooLongIsNotWaitedFor) {
  std::string out = greeting();
  std::string header;
  append_guest_frame(header, guest_frame_kind::daemon_news, "");
  header[2] = '\x10';  // 1 MiB
  guest_says(out + header + std::string(100'000, 'x'), false);
  auto channel = open();
  ASSERT_TRUE(channel) << channel.error().to_string();
  const auto next = run(channel->next(deadline_after(seconds(60))));
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, errc::hostile);
}

TEST_F(GuestChannel, HalfAFrameEndsAtTheDeadlineAndARequestHasALimit) {
  std::string frame;
  append_guest_frame(frame, guest_frame_kind::daemon_news, "{\"done\":true}");
  guest_says(greeting() + frame.substr(0, frame.size() - 1), false);
  auto channel = open();
  ASSERT_TRUE(channel) << channel.error().to_string();
  const auto next = run(channel->next(deadline_after(milliseconds(50))));
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, errc::timeout);
  const auto sent = run(
      channel->send(guest_frame_kind::daemon, std::string(guest_request_limit + 1, 'x'), deadline_after(seconds(60))));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, errc::too_big);
}

TEST_F(GuestChannel, NobodyThereIsToldAtOnce) {
  listener_.reset();
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::again);
  std::filesystem::remove(path());
  const auto absent = open();
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, errc::not_found);
  std::filesystem::create_symlink("/run/docker.sock", path());
  const auto led_away = open();
  ASSERT_FALSE(led_away);
  EXPECT_EQ(led_away.error().code, errc::hostile);
}

// Else whoever is cancelled at that moment waits for as long as the guest may be silent, for files 10 min.
TEST_F(GuestChannel, ACancellationBetweenTwoStepsEndsTheNextThatWouldWait) {
  guest_says(greeting(), false);
  auto channel = open();
  ASSERT_TRUE(channel) << channel.error().to_string();
  const auto next = run_after_cancellation<guest_channel::message>(
      loop_, [&] { return channel->next(deadline_after(seconds(1000))); });
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, errc::cancelled) << next.error().to_string();

  const auto busy = [] {
    error e = errno_error(EAGAIN, "test", "its hands are full");
    e.code = errc::again;
    return result<unique_fd>(std::move(e));
  };
  const auto connected = run_after_cancellation<unique_fd>(
      loop_, [&] { return detail::connect_to_guest(busy, deadline_after(seconds(1000))); });
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, errc::cancelled) << connected.error().to_string();
}

TEST_F(GuestChannel, ACancellationBeforeTheLastStepOfAWriteEndsIt) {
  guest_says(greeting(), false);
  {
    guest_files files(path());
    auto writer = run(files.write("/f", {}));
    ASSERT_TRUE(writer) << writer.error().to_string();
    const auto finished = run_after_cancellation<bool>(loop_, [&]() -> boost::asio::awaitable<result<bool>> {
      auto finishing = writer->finish();
      auto done = co_await std::move(finishing);
      if (!done) co_return std::move(done).error();
      co_return true;
    });
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().code, errc::cancelled) << finished.error().to_string();
  }
}

// What a liar says in answer to a request about files, after its greeting.
class LyingAboutFiles : public GuestChannel {
 protected:
  static std::string out(std::string_view payload) { return frame(guest_frame_kind::out, payload); }
  static std::string frame(guest_frame_kind kind, std::string_view payload) {
    std::string bytes;
    append_guest_frame(bytes, kind, payload);
    return bytes;
  }
  static std::string done() { return frame(guest_frame_kind::file_answer, encode(guest_file_answer{})); }
  static std::string entry(std::string name) {
    file_info info;
    info.name = std::move(name);
    std::string bytes;
    append_file_info(bytes, info);
    return bytes;
  }
  template <class Work>
  error ask(const std::string& words, Work work) {
    guest_says(greeting() + words, false);
    error why;
    {
      guest_files files(path());
      files.silence = milliseconds(200);
      auto outcome = run(work(files));
      if (outcome) ADD_FAILURE() << "believed";
      else why = outcome.error();
    }
    guest_.join();
    return why;
  }
};

TEST_F(LyingAboutFiles, EndsTheConnectionAndNothingElse) {
  const auto read = [](guest_files& files) { return files.read_all("/f", 10); };
  const auto list = [](guest_files& files) { return files.list("/d"); };
  const auto stat = [](guest_files& files) { return files.stat("/f", false); };
  const auto write = [](guest_files& files) { return files.write_all("/f", "x", {}); };
  EXPECT_EQ(ask(out(std::string(60000, 'x')), read).code, errc::hostile);  // of a file of which 11 bytes were asked for
  EXPECT_EQ(ask(out("12345678901") + done(), read).code, errc::too_big);
  EXPECT_EQ(ask(out(entry("..")) + done(), list).code, errc::hostile);
  EXPECT_EQ(ask(out(entry("a/b")) + done(), list).code, errc::hostile);
  EXPECT_EQ(ask(out(entry("")) + done(), list).code, errc::hostile);
  EXPECT_EQ(ask(out("nonsense") + done(), list).code, errc::hostile);
  EXPECT_EQ(ask(done(), stat).code, errc::hostile);
  EXPECT_EQ(ask(out(entry("") + entry("")) + done(), stat).code, errc::hostile);
  EXPECT_EQ(ask(out(entry("")) + out(entry("")) + done(), stat).code, errc::hostile);
  EXPECT_EQ(ask(out("x"), write).code, errc::hostile);
  EXPECT_EQ(ask(frame(guest_frame_kind::started, encode(guest_started{5})), read).code, errc::hostile);
  EXPECT_EQ(ask("", read).code, errc::timeout);
  EXPECT_EQ(ask(out("1234"), read).code, errc::timeout);
  const error refused = ask(frame(guest_frame_kind::refused, encode(guest_refused{0, 0, "no\x1b[31m"})), read);
  EXPECT_EQ(refused.layer, "files");
  EXPECT_EQ(refused.message.find('\x1b'), std::string::npos);
}

TEST_F(LyingAboutFiles, AListingWithoutEndIsBounded) {
  std::string words;
  for (int i = 0; i < 400; ++i) words += out(entry("n" + std::to_string(i)));
  const error why = ask(words, [](guest_files& files) { return files.list("/d", 100); });
  EXPECT_EQ(why.code, errc::too_big);
}

}  // namespace
}  // namespace berth::test

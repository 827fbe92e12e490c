// SPDX-License-Identifier: Apache-2.0
#include "guest/base/event_loop.hpp"
#include "guest/docker/relay.hpp"
#include "guest/base/unix_socket.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

namespace {

using namespace berth;
using namespace berth::guest;

class RelayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/berth-relay-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string from() const { return directory_ + "/from.sock"; }
  std::string to() const { return directory_ + "/to.sock"; }

  /// The relay's loop turns while `client` does its work.
  void turn_while(const std::function<void()>& client) {
    std::atomic<bool> done = false;
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    loop_.watch(ends[0], 1 /* EPOLLIN */, [](std::uint32_t) {});
    std::thread work([&] {
      client();
      done = true;
      ASSERT_EQ(::write(ends[1], "x", 1), 1);
    });
    while (!done) loop_.step(true);
    work.join();
    loop_.forget(ends[0]);
    ::close(ends[0]);
    ::close(ends[1]);
  }

  static unique_fd connected(const std::string& path) {
    unique_fd socket = connect_to(path);
    if (socket) ::fcntl(socket.get(), F_SETFL, 0);
    return socket;
  }
  static std::string read_to_end(int fd) {
    std::string text;
    char piece[8192];
    for (ssize_t n; (n = ::read(fd, piece, sizeof piece)) > 0;) text.append(piece, static_cast<std::size_t>(n));
    return text;
  }
  static void write_whole(int fd, const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t n = ::send(fd, text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (n <= 0) return;
      at += static_cast<std::size_t>(n);
    }
  }

  std::string directory_;
  event_loop loop_;
};

TEST_F(RelayTest, HandsOnBothWaysAndTheEndOfEach) {
  const unique_fd listener = listen_at(to(), 0600);
  ASSERT_TRUE(listener);
  ::fcntl(listener.get(), F_SETFL, 0);
  const std::string question(3'000'000, 'q'), answer(2'000'000, 'a');
  std::string heard;
  std::thread server([&] {
    const unique_fd socket(::accept(listener.get(), nullptr, nullptr));
    heard = read_to_end(socket.get());  // it ends although the client goes on reading
    write_whole(socket.get(), answer);
  });
  relay both(loop_, from(), [this] { return connect_to(to()); });
  ASSERT_TRUE(both.listen());
  std::string got;
  turn_while([&] {
    const unique_fd socket = connected(from());
    ASSERT_TRUE(socket);
    write_whole(socket.get(), question);
    ::shutdown(socket.get(), SHUT_WR);
    got = read_to_end(socket.get());
  });
  server.join();
  EXPECT_EQ(heard, question);
  EXPECT_EQ(got, answer);
}

TEST_F(RelayTest, WhereNobodyListensBehindItTheConnectionEnds) {
  relay nobody(loop_, from(), [this] { return connect_to(to()); });
  ASSERT_TRUE(nobody.listen());
  turn_while([&] {
    const unique_fd socket = connected(from());
    ASSERT_TRUE(socket);
    EXPECT_EQ(read_to_end(socket.get()), "");
  });
}

// A client's connection is kept for its next question.
TEST_F(RelayTest, IsInUseWhileAClientWaitsForAnAnswer) {
  const unique_fd listener = listen_at(to(), 0600);
  ASSERT_TRUE(listener);
  ::fcntl(listener.get(), F_SETFL, 0);
  relay both(loop_, from(), [this] { return connect_to(to()); });
  ASSERT_TRUE(both.listen());
  unique_fd client, server;
  char piece[16];
  turn_while([&] {
    client = connected(from());
    server.reset(::accept(listener.get(), nullptr, nullptr));
  });
  EXPECT_FALSE(both.in_use());
  for (int i = 0; i < 2; ++i) {
    const auto before = both.last_use();
    turn_while([&] {
      write_whole(client.get(), "question");
      ASSERT_EQ(::read(server.get(), piece, sizeof piece), 8);
    });
    EXPECT_TRUE(both.in_use());
    turn_while([&] {
      write_whole(server.get(), "answer");
      ASSERT_EQ(::read(client.get(), piece, sizeof piece), 6);
    });
    EXPECT_FALSE(both.in_use());
    EXPECT_GT(both.last_use(), before);
  }
  write_whole(client.get(), "question");
  client.reset();
  turn_while([&] { EXPECT_EQ(read_to_end(server.get()), "question"); });
  server.reset();
  turn_while([] { ::usleep(1000); });
  EXPECT_FALSE(both.in_use());
}

TEST_F(RelayTest, ClosedItLeavesNoSocketAndCutsWhatIsUnderWay) {
  const unique_fd listener = listen_at(to(), 0600);
  ASSERT_TRUE(listener);
  relay one(loop_, from(), [this] { return connect_to(to()); });
  ASSERT_TRUE(one.listen());
  unique_fd socket = connected(from());
  ASSERT_TRUE(socket);
  loop_.step(true);  // it is accepted
  one.close();
  EXPECT_EQ(read_to_end(socket.get()), "");
  EXPECT_FALSE(std::filesystem::exists(from()));
  EXPECT_FALSE(connect_to(from()));
  EXPECT_TRUE(one.listen());  // and it may begin again
  EXPECT_TRUE(connect_to(from()));
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0
// `--idle-timeout`: a sandbox that nobody uses falls asleep, and whatever uses it next wakes it.
#include "support/command_fixture.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/readiness/guarded_socket.hpp>

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <fstream>

namespace berth_test {
namespace {

class CommandIdle : public command_test {
 protected:
  std::string state() { return parsed_json(run({"status", "box", "--json"}).out).at({"state"}); }
  bool falls_asleep() {
    return eventually([&] { return state() == "asleep"; });
  }
  std::string socket() const { return root_ + "/box/shared/docker.sock"; }
  /// What Docker answers on a connection that stays, as a client's does; empty where it does not.
  static std::string ask(int connection) {
    const std::string question = "GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n";
    if (::send(connection, question.data(), question.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(question.size()))
      return {};
    pollfd ready{connection, POLLIN, 0};
    if (::poll(&ready, 1, 60'000) <= 0) return {};
    char text[4096];
    const ssize_t n = ::recv(connection, text, sizeof text, 0);
    return std::string(text, n > 0 ? static_cast<std::size_t>(n) : 0).substr(0, 15);
  }
  std::string ask_anew() {
    const auto connection = berth::connect_guarded(socket());
    return connection ? ask(connection->get()) : connection.error().to_string();
  }
};

TEST_F(CommandIdle, EveryUseWakesItAndALookDoesNot) {
  ASSERT_EQ(run(run_words({"-d", "--id", "box", "--docker", "--wait", "--idle-timeout", "1"})).code, 0);
  auto kept = berth::connect_guarded(socket());
  ASSERT_TRUE(kept);
  EXPECT_EQ(ask(kept->get()), "HTTP/1.1 200 OK");
  const std::string file = root_ + "-changes.tar";
  const std::vector<std::pair<std::string, std::function<bool()>>> uses = {
      {"a command",
       [&] {
         return run({"exec", "box", "--", "echo", "on"}).out == "on\n";
       }},
      {"by runsc",
       [&] {
         return run({"exec", "--via-runsc", "box", "--", "echo", "on"}).out == "on\n";
       }},
      {"Docker",
       [&] {
         return run({"docker", "box", "--", "info", "-f", "{{.OSType}}"}).out == "linux\n";
       }},
      {"Docker's socket", [&] { return ask_anew() == "HTTP/1.1 200 OK"; }},
      {"a connection that was there", [&] { return ask(kept->get()) == "HTTP/1.1 200 OK"; }},
      {"a file",
       [&] {
         return run({"cp", "box:/etc/hostname", "-"}).code == 0;
       }},
      {"export",
       [&] {
         return run({"export", "box", "-o", file}).code == 0;
       }},
      {"resume",
       [&] {
         return run({"resume", "box"}).code == 0;
       }},
  };
  for (const auto& [what, use] : uses) {
    ASSERT_TRUE(falls_asleep()) << "before " << what << ": " << state();
    EXPECT_EQ(parsed_json(run({"ls", "--json"}).out).at({"0", "state"}), "asleep");
    EXPECT_EQ(parsed_json(run({"status", "box", "--json"}).out).at({"docker", "state"}), "ready");
    EXPECT_EQ(run({"doctor", "box"}).code, 0);
    EXPECT_EQ(state(), "asleep") << "a look has woken it";
    EXPECT_TRUE(use()) << what;
  }
  std::remove(file.c_str());
  ASSERT_TRUE(falls_asleep());
  std::vector<std::unique_ptr<started_command>> many;
  for (int i = 0; i < 10; ++i) many.push_back(start({"exec", "box", "--", "echo", std::to_string(i)}));
  for (int i = 0; i < 10; ++i) {
    const command_output got = many[static_cast<std::size_t>(i)]->finish();
    EXPECT_EQ(got.out, std::to_string(i) + "\n") << got.err;
  }
  ASSERT_TRUE(falls_asleep());
  kept->reset();
  EXPECT_EQ(run({"rm", "box"}).out, "box\n");
  EXPECT_EQ(left_now(), "");
}

TEST_F(CommandIdle, WhatRunsKeepsItAwake) {
  ASSERT_EQ(run(run_words({"-d", "--id", "box", "--docker", "--wait", "--idle-timeout", "1"})).code, 0);
  load_image("box");
  const auto stays_awake = [&](const std::function<bool()>& goes_on) {
    int looks = 0;
    for (; goes_on(); ++looks) {
      if (state() == "asleep") return false;
    }
    return looks > 10;
  };
  for (const std::vector<std::string>& how : {std::vector<std::string>{"exec", "box", "--", "sleep", "4"},
                                              {"exec", "--via-runsc", "box", "--", "sleep", "4"}}) {
    const auto running = start(how);
    EXPECT_TRUE(stays_awake([&] { return !running->ended(); })) << how[1];
    EXPECT_EQ(running->finish().code, 0);
  }
  // A container that nobody is connected to, and one that has no end of its own.
  const std::string ended = "{{.State.Running}}";
  ASSERT_EQ(run({"docker", "box", "--", "run", "-d", "--name", "one", image_name_, "sleep", "4"}).code, 0);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(stays_awake([&] { return std::chrono::steady_clock::now() - began < std::chrono::seconds(3); }));
  EXPECT_TRUE(falls_asleep());
  EXPECT_EQ(run({"docker", "box", "--", "inspect", "-f", ended, "one"}).out, "false\n");
  EXPECT_EQ(run({"rm", "-f", "box"}).code, 0);
  // The command that it was left with.
  ASSERT_EQ(run(run_words({"-d", "--id", "box", "--idle-timeout", "1", "--", "sleep", "4"})).code, 0);
  EXPECT_TRUE(stays_awake([&] { return state() == "running"; }));
  EXPECT_EQ(state(), "stopped");
  EXPECT_EQ(run({"rm", "box"}).code, 0);
}

TEST_F(CommandIdle, OneThatIsPausedIsNotWoken) {
  ASSERT_EQ(run(run_words({"-d", "--id", "box", "--docker", "--wait", "--idle-timeout", "1"})).code, 0);
  ASSERT_TRUE(falls_asleep());
  ASSERT_EQ(run({"pause", "box"}).code, 0);
  EXPECT_EQ(state(), "paused");
  const auto connection = berth::connect_guarded(socket());
  ASSERT_TRUE(connection);
  const command_output refused = run({"exec", "box", "--", "true"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("the sandbox is paused"), std::string::npos) << refused.err;
  EXPECT_EQ(state(), "paused");
  ASSERT_EQ(run({"resume", "box"}).code, 0);
  EXPECT_EQ(ask(connection->get()), "HTTP/1.1 200 OK");
  EXPECT_TRUE(falls_asleep());
  EXPECT_EQ(run({"rm", "-f", "box"}).code, 0);
}

TEST_F(CommandIdle, ItEndsAsleepAsItDoesAwake) {
  ASSERT_EQ(run(run_words({"-d", "--id", "box", "--docker", "--wait", "--idle-timeout", "1"})).code, 0);
  ASSERT_TRUE(falls_asleep());
  // Its clients hear of its end, whoever has copies of their connections.
  auto connection = berth::connect_guarded(socket());
  ASSERT_TRUE(connection);
  EXPECT_EQ(ask(connection->get()), "HTTP/1.1 200 OK");
  ASSERT_TRUE(falls_asleep());
  const int pid = std::stoi(parsed_json(run({"status", "box", "--json"}).out).at({"pid"}));
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  pollfd ended{connection->get(), POLLIN, 0};
  EXPECT_EQ(::poll(&ended, 1, 60'000), 1);
  connection->reset();
  EXPECT_TRUE(eventually([&] { return state() == "stopped"; }));
  EXPECT_EQ(run({"rm", "box"}).out, "box\n");
  EXPECT_EQ(left_now(), "");

  ASSERT_EQ(run(run_words({"-d", "--id", "box", "--docker", "--wait", "--idle-timeout", "1"})).code, 0);
  ASSERT_TRUE(falls_asleep());
  EXPECT_EQ(run({"rm", "-f", "box"}).out, "box\n");
  EXPECT_EQ(left_now(), "");
  EXPECT_TRUE(eventually([&] { return watch() == 0; }));

  ASSERT_EQ(run(run_words({"-d", "--id", "box", "--docker", "--wait", "--idle-timeout", "1", "--lifetime", "8"})).code,
            0);
  ASSERT_TRUE(falls_asleep());
  EXPECT_TRUE(eventually([&] { return state() == "stopped"; }));
  EXPECT_EQ(run({"rm", "box"}).code, 0);
}

TEST_F(CommandIdle, ItsWatchMayBeKilledAtAnyMoment) {
  ASSERT_EQ(run(run_words({"-d", "--id", "box", "--docker", "--wait", "--idle-timeout", "1"})).code, 0);
  ASSERT_TRUE(falls_asleep());
  const auto kill_watch = [&] {
    const int pid = watch();
    ASSERT_NE(pid, 0);
    ASSERT_EQ(::kill(pid, SIGKILL), 0);
    // The next call begins another, once the lock of this one is gone.
    ASSERT_TRUE(eventually([&] { return run({"ls", "--ids"}).code == 0 && watch() != 0 && watch() != pid; }));
  };
  kill_watch();
  EXPECT_EQ(ask_anew(), "HTTP/1.1 200 OK");
  kill_watch();
  EXPECT_TRUE(falls_asleep());
  EXPECT_EQ(run({"exec", "box", "--", "echo", "on"}).out, "on\n");
  EXPECT_EQ(run({"rm", "-f", "box"}).code, 0);
}

// What the guest says is in root_watch_test.cpp.
TEST_F(CommandIdle, AGuestThatDoesNotAnswerStaysAwake) {
  ASSERT_EQ(run(run_words({"-d", "--id", "box", "--idle-timeout", "1"})).code, 0);
  // In its place a socket of somebody else's, on which nobody answers.
  ASSERT_EQ(run({"exec", "box", "--", "mv", "/run/berth/guest.sock", "/run/berth/old.sock"}).code, 0);
  ASSERT_EQ(run(run_words({"-d", "--id", "good", "--idle-timeout", "1"})).code, 0);
  EXPECT_TRUE(eventually([&] { return parsed_json(run({"status", "good", "--json"}).out).at({"state"}) == "asleep"; }));
  EXPECT_EQ(state(), "running");
  EXPECT_EQ(run({"exec", "good", "--", "echo", "on"}).out, "on\n");
  EXPECT_EQ(run({"rm", "-f", "box", "good"}).code, 0);
}

}  // namespace
}  // namespace berth_test

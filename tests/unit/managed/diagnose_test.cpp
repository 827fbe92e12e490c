// SPDX-License-Identifier: Apache-2.0
#include <berth/managed/diagnose.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace berth {
namespace {

sandbox_evidence running() {
  sandbox_evidence e;
  e.status.record.id = "box";
  e.status.record.memory_bytes = 1u << 30;
  e.status.state = "running";
  sandbox_purpose purpose;
  purpose.docker = true;
  e.status.purpose = purpose;
  guest_status guest;
  guest.docker.state = daemon_state::ready;
  e.status.guest = guest;
  return e;
}

std::vector<std::string> ids(const sandbox_evidence& e) {
  std::vector<std::string> out;
  for (const finding& one : find_causes(e)) out.push_back(one.id);
  return out;
}

using strings = std::vector<std::string>;

TEST(FindCauses, NothingIsWrongWithOneThatRuns) {
  sandbox_evidence e = running();
  e.daemon_log = "time=\"2026\" level=info msg=\"API listen on /var/run/docker.sock\"\n";
  e.init_log = "something that any init says\n";
  EXPECT_EQ(ids(e), strings{});
}

TEST(FindCauses, AKnownFailureOfDockersIsNamedWithItsLine) {
  sandbox_evidence e = running();
  daemon_failure why;
  why.phase = "wait";
  why.reason = "dockerd ended";
  why.tail = "first\nunable to configure the Docker daemon with file /etc/docker/daemon.json: invalid character\n";
  e.status.guest->docker.state = daemon_state::failed;
  e.status.guest->docker.failure = why;
  const auto found = find_causes(e);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.front().id, "BERTH-DAEMON-JSON");
  EXPECT_NE(found.front().evidence.find("daemon.json"), std::string::npos);
  EXPECT_EQ(found.front().source, "status.json");
  EXPECT_FALSE(found.front().remedy.empty());
}

TEST(FindCauses, AnUnknownOneIsShownAndNotGuessedAt) {
  sandbox_evidence e = running();
  daemon_failure why;
  why.phase = "wait";
  why.reason = "dockerd ended";
  for (int i = 0; i < 30; ++i) why.tail += "line " + std::to_string(i) + "\x1b[2J\n";
  e.status.guest->docker.state = daemon_state::failed;
  e.status.guest->docker.failure = why;
  const auto found = find_causes(e);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.front().id, "BERTH-UNKNOWN");
  EXPECT_EQ(found.front().remedy, "");
  EXPECT_NE(found.front().evidence.find("line 29"), std::string::npos);
  EXPECT_EQ(found.front().evidence.find("line 19\\"), std::string::npos) << "ten lines are enough";
  EXPECT_EQ(found.front().evidence.find('\x1b'), std::string::npos);
}

TEST(FindCauses, TheMemoryLimitComesFirst) {
  sandbox_evidence e = running();
  e.status.state = "stopped";
  e.reason = exit_reason::out_of_memory;
  e.memory_kills = 3;
  e.runsc_logs = {{"runsc.log.boot.txt", "W0101 00:00:00.000000 1 x.go:1] FATAL ERROR: something\n"}};
  ASSERT_EQ(ids(e), strings{"BERTH-MEMORY"}) << "what runsc says in the end is no cause where one is known";
  EXPECT_NE(find_causes(e).front().evidence.find("3 killed"), std::string::npos);
  e.reason = exit_reason::none;
  e.memory_kills = 0;
  const auto found = find_causes(e);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found.front().source.starts_with("logs/runsc/")) << found.front().source;
}

TEST(FindCauses, WhatThePairCannotDoIsSaidAndExplainsNoFailure) {
  sandbox_evidence e = running();
  e.gaps = {"docker exec does not work"};
  EXPECT_EQ(ids(e), strings{"BERTH-PAIR"});
  daemon_failure why;
  why.tail = "who knows\n";
  e.status.guest->docker.state = daemon_state::failed;
  e.status.guest->docker.failure = why;
  EXPECT_EQ(ids(e), (strings{"BERTH-PAIR", "BERTH-UNKNOWN"}));
}

TEST(FindCauses, RulesRecordAndBoot) {
  sandbox_evidence e = running();
  e.status.rules = false;
  EXPECT_EQ(ids(e), strings{"BERTH-RULES-GONE"});
  e = running();
  e.docker_installed = false;
  EXPECT_EQ(ids(e), strings{"BERTH-NO-DOCKERD"});
  e = running();
  e.status.state = "lost";
  EXPECT_EQ(ids(e), strings{"BERTH-LOST"});
  e = running();
  e.status.record.damaged = true;
  e.status.record.damage = "no JSON";
  ASSERT_EQ(ids(e), strings{"BERTH-RECORD-DAMAGED"});
  EXPECT_EQ(find_causes(e).front().evidence, "no JSON");
}

TEST(FindCauses, HasOneFormInJson) {
  sandbox_diagnosis d;
  d.status = running().status;
  d.findings = {{"BERTH-X", "c", "r", "s", "e\n", "f"}};
  json_writer out;
  write_json(out, d);
  EXPECT_EQ(out.take(),
            R"({"id":"box","state":"running","ok":false,"findings":[{"id":"BERTH-X","cause":"c","remedy":"r",)"
            R"("reference":"s","evidence":"e\n","source":"f"}]})");
}

}  // namespace
}  // namespace berth

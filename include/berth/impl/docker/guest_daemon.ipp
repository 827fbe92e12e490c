// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/docker/daemon_probe.hpp>
#include <berth/docker/guest_daemon.hpp>
#include <berth/guest/channel.hpp>
#include <berth/impl/docker/daemon_messages.ipp>
#include <berth/process/cancellation.hpp>

#include <algorithm>
#include <utility>

namespace berth {
namespace detail {

inline constexpr duration guest_answers_within = seconds(10);
inline constexpr std::size_t largest_guest_status = 64 * 1024;

}  // namespace detail

// Sends the request and hands on what comes, until it is done, `go_on` gives false, or the deadline.
BERTH_DECL boost::asio::awaitable<result<void>> guest_daemon::converse_once(
    daemon_request request, time_point deadline, std::function<bool(const guest_status&)> go_on) {
  // The caller's object may go while this waits.
  const std::shared_ptr<sandbox> box = box_;
  const log_sink sink = log_;
  const auto tell_status = on_status;
  const auto tell_line = on_line;
  const auto tell_event = on_event;
  request.lines = static_cast<bool>(tell_line);
  rate_limiter logged(log_limit), reported(log_limit);
  const time_point soon = std::min(deadline, deadline_after(detail::guest_answers_within));
  auto opening = box->open_guest(soon);
  auto channel = co_await std::move(opening);
  if (!channel) co_return std::move(channel).error();
  std::string text = format_daemon_request(request);
  auto asking = channel->send(guest_frame_kind::daemon, std::move(text), soon);
  auto asked = co_await std::move(asking);
  if (!asked) co_return asked;
  std::optional<daemon_failure> failure;
  for (;;) {
    auto waiting = channel->next(deadline);
    auto came = co_await std::move(waiting);
    if (!came) co_return std::move(came).error();
    if (came->kind == guest_frame_kind::refused) {
      auto why = decode_guest<guest_refused>(came->payload);
      if (!why) co_return std::move(why).error();
      co_return make_error(errc::invalid, "docker", "the sandbox's guest refused: " + detail::news_text(why->message));
    }
    if (came->kind != guest_frame_kind::daemon_news)
      co_return make_error(errc::hostile, "docker", "the guest spoke out of turn");
    auto news = parse_daemon_news(came->payload);
    if (!news) co_return std::move(news).error();
    if (news->log && sink) {
      std::string_view words = news->log->message;
      if (logged.admit(words, clock::now())) sink(*news->log);
    }
    if (news->event && tell_event) {
      std::string_view words = news->event->message;
      if (reported.admit(words, clock::now())) tell_event(*news->event);
    }
    if (news->line && tell_line) tell_line(news->line->first, news->line->second);
    if (news->status) {
      failure = news->status->docker.failure;
      if (tell_status) tell_status(*news->status);
      if (go_on && !go_on(*news->status)) co_return result<void>();
    }
    if (news->done) {
      if (!news->failed) co_return result<void>();
      const errc code = news->failed->code;
      // The failure itself says more, with the remedy.
      if (failure && failure->to_error().code == code) co_return failure->to_error();
      co_return std::move(*news->failed);
    }
  }
}

// Who only listens listens on where the sandbox was saved meanwhile: the guest cuts all connections for that.
BERTH_DECL boost::asio::awaitable<result<void>> guest_daemon::converse(daemon_request request, time_point deadline,
                                                                       std::function<bool(const guest_status&)> go_on) {
  guest_daemon again = *this;  // the caller's object may go while this waits
  for (;;) {
    daemon_request this_time = request;
    auto work = again.converse_once(std::move(this_time), deadline, go_on);
    auto outcome = co_await std::move(work);
    // By the guest, which was there: a sandbox that is paused or has ended is refused by its own layer.
    const bool cut = !outcome && outcome.error().code == errc::sandbox_not_running && outcome.error().layer == "guest";
    if (!cut || request.what != daemon_request::kind::watch || !again.box_->lives() || clock::now() >= deadline)
      co_return outcome;
    // One that ended takes a moment to be gone. One that falls asleep on the disk is not woken by who listens.
    do {
      const milliseconds pause(50);
      const bool waited = co_await pause_for(pause);
      if (!waited) co_return make_error(errc::cancelled, "docker", "cancelled");
      if (!again.box_->lives()) co_return outcome;
      if (clock::now() >= deadline) co_return make_error(errc::timeout, "docker", "the sandbox is hibernated");
    } while (again.box_->is_asleep());
    request.so_far = false;
  }
}

BERTH_DECL boost::asio::awaitable<result<void>> guest_daemon::start(supervisor_options options,
                                                                    std::optional<command> run) {
  // The guest keeps the deadline, and has more to tell when it has passed; a sandbox that is stuck tells nothing.
  const time_point deadline = deadline_after(milliseconds(800), deadline_after(options.ready_timeout));
  daemon_request request;
  request.what = daemon_request::kind::start;
  request.docker = std::move(options);
  request.run = std::move(run);
  auto work = converse(std::move(request), deadline, {});
  auto outcome = co_await std::move(work);
  if (!outcome && outcome.error().code == errc::timeout) {
    error e = std::move(outcome).error();
    e.code = errc::daemon_not_ready;
    e.layer = "docker";
    e.message = "dockerd did not get ready in time, and the sandbox's guest did not tell why";
    co_return e;
  }
  co_return outcome;
}

BERTH_DECL boost::asio::awaitable<result<void>> guest_daemon::begin(std::optional<supervisor_options> docker,
                                                                    std::optional<command> run) {
  daemon_request request;
  request.what = daemon_request::kind::start;
  request.docker = std::move(docker);
  request.run = std::move(run);
  const time_point deadline = deadline_after(detail::guest_answers_within);
  std::function<bool(const guest_status&)> taken_up = [](const guest_status&) { return false; };
  auto work = converse(std::move(request), deadline, std::move(taken_up));
  co_return co_await std::move(work);
}

BERTH_DECL boost::asio::awaitable<bool> guest_daemon::answers(time_point deadline) {
  const auto question = make_docker_ping_probe(box_->shared_path(docker_socket_name));
  const time_point soon = std::min(deadline, deadline_after(seconds(2)));
  auto asking = question->ask(soon);
  const probe_outcome outcome = co_await std::move(asking);
  // Where it was told of other sockets there is none to be asked by.
  co_return outcome.what == probe_outcome::kind::ready || outcome.reason.code == errc::not_found;
}

BERTH_DECL boost::asio::awaitable<result<void>> guest_daemon::wait_ready(time_point deadline) {
  for (;;) {
    daemon_status last;
    std::function<bool(const guest_status&)> until_settled = [&last](const guest_status& now) {
      last = now.docker;
      return last.state == daemon_state::starting;
    };
    auto work = watch(std::move(until_settled), deadline);
    auto watched = co_await std::move(work);
    if (!watched) co_return watched;
    if (last.state == daemon_state::ready) {
      // One that was killed this very moment: the guest is about to hear of it.
      auto asking = answers(deadline);
      const bool answered = co_await std::move(asking);
      if (answered) co_return result<void>();
      if (clock::now() >= deadline) co_return make_error(errc::timeout, "docker", "dockerd does not answer");
      const milliseconds pause(10);
      const bool waited = co_await pause_for(pause);
      if (!waited) co_return make_error(errc::cancelled, "docker", "waiting for Docker was cancelled");
      continue;
    }
    if (last.failure) co_return last.failure->to_error();
    if (last.state == daemon_state::stopped)
      co_return make_error(errc::daemon_failed, "docker", "Docker in this sandbox was stopped");
    co_return make_error(errc::state, "docker", "dockerd is " + std::string(daemon_state_name(last.state)));
  }
}

BERTH_DECL boost::asio::awaitable<result<void>> guest_daemon::stop(time_point deadline) {
  daemon_request request;
  request.what = daemon_request::kind::stop;
  auto work = converse(std::move(request), deadline, {});
  co_return co_await std::move(work);
}

BERTH_DECL boost::asio::awaitable<result<void>> guest_daemon::watch(std::function<bool(const guest_status&)> go_on,
                                                                    time_point deadline) {
  daemon_request request;
  request.so_far = static_cast<bool>(log_) || static_cast<bool>(on_event);
  auto work = converse(std::move(request), deadline, std::move(go_on));
  co_return co_await std::move(work);
}

BERTH_DECL result<guest_status> read_guest_status(const sandbox_record& record) {
  const std::string path = record.shared() + "/" + std::string(guest_status_name);
  // Hostile ground: no FIFO holds this up, and no symlink leads anywhere.
  auto text = read_file(path, detail::largest_guest_status, "docker");
  if (!text && text.error().code == errc::not_found)
    return make_error(errc::not_found, "docker", "the sandbox's guest keeps nothing", path);
  if (!text) return std::move(text).error();
  auto status = parse_guest_status(*text);
  if (!status) return status;
  const daemon_state then = status->docker.state;
  if ((then == daemon_state::ready || then == daemon_state::starting) && !record.lives()) {
    status->docker.state = daemon_state::stopped;
    status->docker.pid = 0;
  }
  return status;
}

}  // namespace berth

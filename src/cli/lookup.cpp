// SPDX-License-Identifier: Apache-2.0
#include "lookup.hpp"

#include <berth/docker/client.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/readiness/poll.hpp>
#include <berth/readiness/probe.hpp>

namespace berth::cli {

result<std::shared_ptr<sandbox>> find_sandbox(const environment& where, const std::string& id) {
  auto found = sandbox::attach(where, id);
  if (found) return found;
  error e = std::move(found).error();
  if (e.code == errc::not_found || e.code == errc::invalid) {
    // An id that cannot be one names nothing.
    e = make_error(errc::not_found, "cli", "no sandbox is called '" + id + "'", {},
                   "berth ls shows those that there are");
  }
  return e;
}

int fail_lookup(const error& e, const invocation& call) {
  const int code = fail(e, call);
  return e.layer == "cli" && e.code == errc::not_found ? int{exit_not_found} : code;
}

boost::asio::awaitable<sandbox_view> view_sandbox(environment where, sandbox_record record, duration patience) {
  sandbox_view out;
  out.record = std::move(record);
  out.state = "damaged";
  if (out.record.damaged) co_return out;
  out.state = "unknown";
  if (auto box = sandbox::attach(where, out.record.id)) {
    // Who has no time to be asked is what its process says; one with little time proves nothing by being late.
    const auto state = co_await (*box)->state(patience);
    if (state) out.state = sandbox_state_name(*state);
    const bool asked = patience >= milliseconds(500) || is_stopped((*box)->record().sandbox_process);
    if (state && *state == sandbox_state::unresponsive && !asked)
      out.state = sandbox_state_name(sandbox_state::running);
  }
  if (auto note = read_run_note(out.record.directory)) out.note = std::move(*note);
  if (auto guest = read_guest_status(out.record)) out.guest = std::move(*guest);
  co_return out;
}

bool wants_docker(const sandbox_view& view) {
  return (view.note && view.note->docker) || (view.guest && view.guest->docker.state != daemon_state::disabled);
}

std::string docker_word(const sandbox_view& view) {
  if (!wants_docker(view)) return "-";
  for (const auto ended : {sandbox_state::stopped, sandbox_state::lost})
    if (view.state == sandbox_state_name(ended)) return "stopped";
  // The guest has not heard of it yet.
  if (!view.guest) return std::string(daemon_state_name(daemon_state::starting));
  return std::string(daemon_state_name(view.guest->docker.state));
}

namespace {

json failure_json(const daemon_failure& failure) {
  const error why = failure.to_error();
  json out = json::object();
  out.set("phase", failure.phase).set("message", why.message);
  out.set("elapsed_ms", std::chrono::duration_cast<milliseconds>(failure.elapsed).count());
  out.set("attempts", failure.attempts);
  if (failure.exited) out.set("exited", failure.exited->to_string());
  if (!failure.last_probe.empty()) out.set("last_probe", failure.last_probe);
  if (!failure.hint_id.empty()) out.set("hint_id", failure.hint_id);
  if (!why.hint.empty()) out.set("hint", why.hint);
  if (!why.detail.empty()) out.set("output", why.detail);
  out.set("code", static_cast<int>(why.code));
  return out;
}

json docker_json(const sandbox_view& view) {
  const daemon_status now = view.guest ? view.guest->docker : daemon_status();
  const std::string word = docker_word(view);
  json out = json::object();
  out.set("wanted", wants_docker(view)).set("state", word == "-" ? daemon_state_name(daemon_state::disabled) : word);
  out.set("pid", now.pid).set("ready_after_ms", std::chrono::duration_cast<milliseconds>(now.ready_after).count());
  out.set("restarts", now.restarts);
  if (now.failure) out.set("failure", failure_json(*now.failure));
  return out;
}

json command_json(const sandbox_view& view) {
  json out = json::object();
  out.set("argv", json::strings(view.note ? view.note->command : std::vector<std::string>()));
  out.set("state", command_state(view));
  if (view.guest && view.guest->command && view.guest->command->now == kept_command::state::exited)
    out.set("exit_code", view.guest->command->exit_code);
  return out;
}

}  // namespace

std::string command_state(const sandbox_view& view) {
  if (view.guest && view.guest->command) return std::string(kept_command_state_name(view.guest->command->now));
  if (!view.note || view.note->command.empty()) return "none";
  // In the foreground it is run from outside, once Docker is ready.
  const bool before = view.note->docker && docker_word(view) != daemon_state_name(daemon_state::ready);
  return std::string(kept_command_state_name(before || view.note->detached ? kept_command::state::waiting
                                                                           : kept_command::state::running));
}

json view_json(const sandbox_view& view) {
  const sandbox_record& r = view.record;
  json out = json::object();
  out.set("id", r.id).set("state", view.state).set("directory", r.directory);
  if (const exit_reason why = find_exit_reason(r); why != exit_reason::none)
    out.set("exit_reason", exit_reason_name(why));
  if (r.memory_bytes != 0) out.set("memory_kills", count_memory_kills(r));
  if (r.damaged) return std::move(out.set("damage", r.damage));
  out.set("created", format_time(r.created_ms)).set("phase", record_phase_name(r.phase)).set("rootfs", r.rootfs);
  json network = json::object();
  network.set("mode", network_mode_name(r.network));
  if (!r.network_path.empty()) network.set("path", r.network_path);
  if (r.net)
    network.set("address", r.net->address())
        .set("gateway", r.net->gateway())
        .set("mtu", r.net->mtu)
        .set("max_connections", r.net->max_connections);
  if (r.net && r.net->egress) network.set("egress", json::strings(r.net->egress->words()));
  if (view.refused_egress) network.set("refused_egress", *view.refused_egress);
  if (view.rules) network.set("rules", *view.rules);
  if (view.refused_connections) network.set("refused_connections", *view.refused_connections);
  out.set("network", std::move(network)).set("cpus", r.cpus).set("memory_bytes", r.memory_bytes);
  out.set("sandbox_pid", r.process_alive() ? r.sandbox_process.pid : 0);
  json creator = json::object();
  creator.set("pid", r.creator.pid).set("alive", r.boot_id == read_boot_id() && r.creator.alive());
  out.set("creator", std::move(creator)).set("runsc", r.runsc).set("container_id", r.container_id());
  json annotations = json::object();
  for (const auto& [key, value] : r.annotations) annotations.set(key, value);
  out.set("annotations", std::move(annotations));
  if (view.note) out.set("detached", view.note->detached);
  if (view.note || view.guest) out.set("docker", docker_json(view)).set("command", command_json(view));
  return out;
}

result<std::string> check_docker_socket(const sandbox& box) {
  std::string path = box.shared_path(docker_socket_name);
  if (auto checked = check_host_socket(path); !checked) {
    error e = std::move(checked).error();
    if (e.code == errc::not_found)
      e.hint = "was it made with --docker, and is Docker ready? berth status " + box.id() + " tells";
    return e;
  }
  return path;
}

namespace {

error not_running(const sandbox& box) {
  return detail::not_running_error(box.record(), "the sandbox does not run any more",
                                   "remove it: berth rm " + box.id());
}

error not_ready_within(const sandbox& box, duration limit, const std::string& why) {
  return make_error(errc::daemon_not_ready, "docker",
                    "Docker was not ready within " + format_seconds(std::chrono::duration<double>(limit).count()) +
                        (why.empty() ? "" : ": " + why),
                    {}, "berth logs --daemon " + box.id() + " shows what dockerd says");
}

// Docker that a program on the host supervises: by its socket. Errors: again where `berth run` turns out to have made it.
boost::asio::awaitable<result<void>> wait_for_socket(std::shared_ptr<sandbox> box, duration limit) {
  const std::string directory = box->record().directory;
  const auto ended = [&] {
    const auto record = read_record(directory);
    return !record || (record->phase != record_phase::creating && !record->process_alive());
  };
  if (ended()) co_return not_running(*box);
  socket_address where;
  where.unix_path = box->shared_path(docker_socket_name);
  where.guarded = true;
  const auto question = make_http_probe(where, "/_ping");
  exit_notice given_up;
  poll_options options;
  options.deadline = deadline_after(limit);
  options.on_attempt = [&](std::uint32_t, const probe_outcome&) {
    if (ended() || read_run_note(directory)) given_up.set({});
  };
  const poll_result polled = co_await poll_until_ready(*question, options, &given_up);
  if (polled.ready()) co_return result<void>();
  if (polled.status == errc::process_exited && !ended()) co_return make_error(errc::again, "cli", "made by berth run");
  if (polled.status == errc::process_exited) co_return not_running(*box);
  if (polled.status == errc::timeout) co_return not_ready_within(*box, limit, polled.last.message);
  co_return polled.last;
}

}  // namespace

boost::asio::awaitable<result<void>> wait_for_docker(std::shared_ptr<sandbox> box, duration limit, log_sink log) {
  const time_point deadline = deadline_after(limit);
  guest_daemon kept(box, std::move(log));
  for (;;) {
    const auto record = read_record(box->record().directory);
    if (!record && record.error().code == errc::not_found) co_return not_running(*box);
    if (!record) co_return record.error();
    const auto note = read_run_note(record->directory);
    const auto guest = read_guest_status(*record);
    const daemon_state last = guest ? guest->docker.state : daemon_state::disabled;
    if (record->phase != record_phase::creating && !record->process_alive()) {
      // What it ended of, where its guest has told.
      if (last == daemon_state::failed && guest->docker.failure) co_return guest->docker.failure->to_error();
      co_return not_running(*box);
    }
    if (last != daemon_state::disabled) {
      auto waiting = kept.wait_ready(deadline);
      auto ready = co_await std::move(waiting);
      if (ready) co_return ready;
      if (ready.error().code == errc::timeout) co_return not_ready_within(*box, limit, {});
      if (record->process_alive()) co_return ready;
      continue;  // it ended meanwhile, and has left word
    }
    if (note && !note->docker)
      co_return make_error(errc::state, "docker", "this sandbox was made without Docker", {}, "make it with --docker");
    if (!note && record->phase == record_phase::running) {
      auto asking = wait_for_socket(box, deadline - clock::now());
      auto asked = co_await std::move(asking);
      if (asked || asked.error().code != errc::again) co_return asked;
      continue;
    }
    if (clock::now() >= deadline) co_return not_ready_within(*box, limit, "the sandbox is still being made");
    const milliseconds pause(5);
    const bool waited = co_await pause_for(pause);
    if (!waited) co_return make_error(errc::cancelled, "cli", "cancelled");
  }
}

}  // namespace berth::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/json_writer.hpp>
#include <berth/base/text.hpp>
#include <berth/docker/daemon_messages.hpp>
#include <berth/docker/diagnose.hpp>
#include <berth/spec/json.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace berth {
namespace detail {

// A byte becomes at most three in JSON once the control characters are gone, so that all of it fits a frame.
inline constexpr std::size_t news_text_limit = 4000;

/// The end of a text, which says most in the output of a program, without control characters but line feeds and tabs.
inline std::string news_text(std::string_view text, std::size_t limit = news_text_limit) {
  std::string out(text.size() > limit ? text.substr(text.size() - limit) : text);
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f; }, ' ');
  return out;
}

inline std::int64_t to_ms(duration d) { return std::chrono::duration_cast<milliseconds>(d).count(); }

inline void write_strings(berth::json_writer& out, const char* key, const std::vector<std::string>& list) {
  out.key(key).open_array();
  for (const std::string& one : list) out.string(one);
  out.close_array();
}

inline void write_version(berth::json_writer& out, const char* key, const program_version& v) {
  out.key(key).open_array().number(v.major).number(v.minor).number(v.patch).close_array();
}

// Without its hint: what a sandbox says must not tell people what to do.
inline void write_error(berth::json_writer& out, const error& e) {
  out.open_object();
  out.key("code").number(static_cast<int>(e.code)).key("errno").number(e.sys_errno);
  out.key("layer").string(e.layer).key("message").string(news_text(e.message));
  out.key("path").string(news_text(e.path, 500)).key("detail").string(news_text(e.detail)).close_object();
}

inline void write_status(berth::json_writer& out, const daemon_status& status) {
  out.open_object();
  out.key("state").string(daemon_state_name(status.state)).key("pid").number(status.pid);
  out.key("ready_after_ms").number(to_ms(status.ready_after)).key("restarts").unsigned_number(status.restarts);
  if (status.failure) {
    const daemon_failure& why = *status.failure;
    out.key("failure").open_object();
    out.key("phase").string(why.phase).key("elapsed_ms").number(to_ms(why.elapsed));
    out.key("attempts").unsigned_number(why.attempts).key("restarts").unsigned_number(why.restarts);
    if (why.exited) {
      out.key("exited").open_object();
      out.key("code").number(why.exited->code).key("signal").number(why.exited->signal).close_object();
    }
    out.key("reason").string(news_text(why.reason, 1000));
    if (why.cause) {
      out.key("cause");
      write_error(out, *why.cause);
    }
    out.key("last_probe").string(news_text(why.last_probe, 500)).key("tail").string(news_text(why.tail));
    out.key("hint_id").string(why.hint_id).close_object();
  }
  out.close_object();
}

inline void write_guest_status(berth::json_writer& out, const guest_status& status) {
  out.open_object().key("docker");
  write_status(out, status.docker);
  if (status.command) {
    out.key("command").open_object().key("state").string(kept_command_state_name(status.command->now));
    out.key("exit_code").number(status.command->exit_code).close_object();
  }
  out.close_object();
}

inline void write_options(berth::json_writer& out, const supervisor_options& options) {
  const docker_plan_options& plan = options.plan;
  out.open_object();
  write_version(out, "docker", plan.versions.docker);
  write_version(out, "containerd", plan.versions.containerd);
  write_version(out, "runc", plan.versions.runc);
  out.key("runsc_release").unsigned_number(plan.runsc_release);
  out.key("uplink_device").string(plan.uplink_device).key("uplink_address").string(plan.uplink_address);
  out.key("uplink_mtu").unsigned_number(plan.uplink_mtu).key("snat").boolean(plan.snat);
  write_strings(out, "sockets", plan.sockets);
  out.key("data_root").string(plan.data_root).key("data_root_mounted").boolean(plan.data_root_mounted);
  out.key("data_root_on_host").boolean(plan.data_root_on_host).key("storage_driver").string(plan.storage_driver);
  out.key("guest").string(plan.guest).key("wrap_runc").number(static_cast<int>(plan.wrap_runc));
  out.key("dockerd").string(plan.dockerd);
  write_strings(out, "dockerd_args", plan.dockerd_args);
  write_strings(out, "env", plan.env);
  out.key("ready_timeout_ms").number(to_ms(options.ready_timeout));
  out.key("restart").open_object();
  out.key("on_failure").boolean(options.restart.what == restart_policy::kind::on_failure);
  out.key("limit")
      .unsigned_number(options.restart.limit)
      .key("first_pause_ms")
      .number(to_ms(options.restart.first_pause));
  out.key("max_pause_ms")
      .number(to_ms(options.restart.max_pause))
      .key("settle_ms")
      .number(to_ms(options.restart.settle));
  out.close_object();
  out.key("stop_containers_ms").number(to_ms(options.stop_containers_timeout));
  out.key("term_ms").number(to_ms(options.term_timeout)).key("kill_ms").number(to_ms(options.kill_timeout));
  out.close_object();
}

/// Reads members of one object; the first that is not what it must be is remembered.
class message_reader {
 public:
  message_reader(json_view object, errc bad) : object_(object), bad_(bad) {
    if (!object.is_object()) wrong_ = "not an object";
  }

  std::string text(const char* key) {
    const auto found = object_[key].text();
    if (!found) fail(key, "a string");
    return std::string(found.value_or(std::string_view()));
  }
  bool truth(const char* key) {
    const auto found = object_[key].truth();
    if (!found) fail(key, "true or false");
    return found.value_or(false);
  }
  template <class Number>
  Number number(const char* key, Number least = std::numeric_limits<Number>::lowest(),
                Number most = std::numeric_limits<Number>::max()) {
    const auto found = object_[key].number<Number>();
    if (!found || *found < least || *found > most) fail(key, "a number in range");
    return found.value_or(Number{});
  }
  duration ms(const char* key) {
    constexpr std::int64_t most = std::chrono::duration_cast<milliseconds>(duration::max()).count();
    const std::int64_t n = number<std::int64_t>(key, 0, most);
    return n == most ? duration::max() : duration(milliseconds(n));
  }
  std::vector<std::string> texts(const char* key) {
    const json_view list = object_[key];
    std::vector<std::string> all = list.texts();
    if (!list.is_array() || all.size() != list.size()) fail(key, "a list of strings");
    return all;
  }
  program_version version(const char* key) {
    const json_view list = object_[key];
    const auto a = list.at(0).number<std::uint32_t>(), b = list.at(1).number<std::uint32_t>(),
               c = list.at(2).number<std::uint32_t>();
    if (!list.is_array() || list.size() != 3 || !a || !b || !c) fail(key, "a version");
    return {a.value_or(0), b.value_or(0), c.value_or(0)};
  }
  json_view member(const char* key) const { return object_[key]; }
  bool has(const char* key) const { return static_cast<bool>(object_[key]); }
  void fail(const char* key, const char* wanted) {
    if (wrong_.empty()) wrong_ = "`" + std::string(key) + "` is not " + wanted;
  }
  void take(const message_reader& inner, const char* key) {
    if (wrong_.empty() && !inner.wrong_.empty()) wrong_ = std::string(key) + ": " + inner.wrong_;
  }
  errc bad() const { return bad_; }

  template <class T>
  result<T> outcome(T value) const {
    if (wrong_.empty()) return value;
    return make_error(bad_, "docker", "a message about dockerd that cannot be read: " + wrong_);
  }

 private:
  json_view object_;
  errc bad_;
  std::string wrong_;
};

inline error read_error(message_reader& from, const char* key) {
  message_reader in(from.member(key), from.bad());
  error e;
  // What a sandbox says can be one of the library's errors only.
  e.code = static_cast<errc>(in.number<std::int32_t>("code", -200, -1));
  if (errc_name(e.code) == "unknown") e.code = errc::daemon_failed;
  e.sys_errno = in.number<int>("errno", 0, 4095);
  e.layer = in.text("layer");
  e.message = in.text("message");
  e.path = in.text("path");
  e.detail = in.text("detail");
  from.take(in, key);
  return e;
}

inline daemon_status read_daemon_status(message_reader& in) {
  daemon_status out;
  const std::string state = in.text("state");
  bool known = false;
  for (const daemon_state one : {daemon_state::disabled, daemon_state::not_present, daemon_state::starting,
                                 daemon_state::ready, daemon_state::failed, daemon_state::stopped}) {
    if (daemon_state_name(one) != state) continue;
    out.state = one;
    known = true;
  }
  if (!known) in.fail("state", "a state of dockerd");
  out.pid = in.number<pid_t>("pid", 0);
  out.ready_after = in.ms("ready_after_ms");
  out.restarts = in.number<std::uint32_t>("restarts");
  if (!in.has("failure")) return out;
  message_reader inner(in.member("failure"), in.bad());
  daemon_failure why;
  why.phase = inner.text("phase");
  why.elapsed = inner.ms("elapsed_ms");
  why.attempts = inner.number<std::uint32_t>("attempts");
  why.restarts = inner.number<std::uint32_t>("restarts");
  if (inner.has("exited")) {
    message_reader status(inner.member("exited"), in.bad());
    why.exited = exit_status{status.number<int>("code", 0, 255), status.number<int>("signal", 0, 127)};
    inner.take(status, "exited");
  }
  why.reason = inner.text("reason");
  if (inner.has("cause")) why.cause = read_error(inner, "cause");
  why.last_probe = inner.text("last_probe");
  why.tail = inner.text("tail");
  // The remedy is our own table's: a sandbox must not tell people what to do.
  const known_failure row = find_docker_failure(inner.text("hint_id"));
  why.hint_id = row.id;
  why.hint = row.remedy;
  in.take(inner, "failure");
  out.failure = std::move(why);
  return out;
}

inline guest_status read_guest_status(message_reader& in) {
  guest_status out;
  message_reader docker(in.member("docker"), in.bad());
  out.docker = read_daemon_status(docker);
  in.take(docker, "docker");
  if (!in.has("command")) return out;
  message_reader command(in.member("command"), in.bad());
  kept_command kept;
  const std::string state = command.text("state");
  bool known = false;
  for (const auto one : {kept_command::state::waiting, kept_command::state::running, kept_command::state::exited}) {
    if (kept_command_state_name(one) != state) continue;
    kept.now = one;
    known = true;
  }
  if (!known) command.fail("state", "a state of a command");
  kept.exit_code = command.number<int>("exit_code", 0, 255);
  in.take(command, "command");
  out.command = kept;
  return out;
}

inline void write_event(berth::json_writer& out, const sandbox_event& event) {
  out.open_object().key("event").string(sandbox_event_name(event.what)).key("at_ms").number(event.at_ms);
  out.key("container").string(news_text(event.container, 256)).key("message").string(news_text(event.message));
  out.close_object();
}

inline sandbox_event read_event(message_reader& from, const char* key) {
  using kind = sandbox_event::kind;
  message_reader in(from.member(key), from.bad());
  sandbox_event out;
  const std::string name = in.text("event");
  bool known = false;
  for (const kind one : {kind::container_out_of_memory, kind::docker_ready, kind::docker_ended, kind::docker_failed,
                         kind::docker_stopped}) {
    if (sandbox_event_name(one) != name) continue;
    out.what = one;
    known = true;
  }
  if (!known) in.fail("event", "an event");
  out.at_ms = in.number<std::int64_t>("at_ms");
  out.container = in.text("container");
  out.message = in.text("message");
  from.take(in, key);
  return out;
}

inline log_event read_log(message_reader& from, const char* key) {
  message_reader in(from.member(key), from.bad());
  log_event out;
  out.level = static_cast<log_level>(in.number<int>("level", 0, 3));
  out.message = in.text("message");
  const json_view fields = in.member("fields");
  if (!fields.is_array() || fields.size() > 20) in.fail("fields", "a list of pairs");
  for (std::size_t i = 0; i < fields.size() && i < 20; ++i) {
    const auto name = fields.at(i).at(0).text(), value = fields.at(i).at(1).text();
    if (!name || !value) in.fail("fields", "a list of pairs");
    else out.fields.push_back({std::string(*name), std::string(*value)});
  }
  from.take(in, key);
  return out;
}

inline supervisor_options read_options(message_reader& from, const char* key) {
  message_reader in(from.member(key), from.bad());
  supervisor_options out;
  docker_plan_options& plan = out.plan;
  plan.versions.docker = in.version("docker");
  plan.versions.containerd = in.version("containerd");
  plan.versions.runc = in.version("runc");
  plan.runsc_release = in.number<std::uint32_t>("runsc_release");
  plan.uplink_device = in.text("uplink_device");
  plan.uplink_address = in.text("uplink_address");
  plan.uplink_mtu = in.number<std::uint32_t>("uplink_mtu");
  plan.snat = in.truth("snat");
  plan.sockets = in.texts("sockets");
  plan.data_root = in.text("data_root");
  plan.data_root_mounted = in.truth("data_root_mounted");
  plan.data_root_on_host = in.truth("data_root_on_host");
  plan.storage_driver = in.text("storage_driver");
  plan.guest = in.text("guest");
  plan.wrap_runc = static_cast<docker_plan_options::runc_wrapper>(in.number<int>("wrap_runc", 0, 2));
  plan.dockerd = in.text("dockerd");
  plan.dockerd_args = in.texts("dockerd_args");
  plan.env = in.texts("env");
  out.ready_timeout = in.ms("ready_timeout_ms");
  message_reader restart(in.member("restart"), from.bad());
  out.restart.what = restart.truth("on_failure") ? restart_policy::kind::on_failure : restart_policy::kind::never;
  out.restart.limit = restart.number<std::uint32_t>("limit");
  out.restart.first_pause = restart.ms("first_pause_ms");
  out.restart.max_pause = restart.ms("max_pause_ms");
  out.restart.settle = restart.ms("settle_ms");
  in.take(restart, "restart");
  out.stop_containers_timeout = in.ms("stop_containers_ms");
  out.term_timeout = in.ms("term_ms");
  out.kill_timeout = in.ms("kill_ms");
  from.take(in, key);
  return out;
}

inline constexpr std::array<std::string_view, 3> daemon_request_names = {"start", "stop", "watch"};

/// What `read` makes of a JSON text, or an error of code `bad`.
template <class T, class Read>
result<T> read_message(std::string_view json, errc bad, Read read) {
  const auto parsed = parsed_json::parse(json);
  if (!parsed) {
    return make_error(bad, "docker", "a message about dockerd that is not JSON: " + parsed.error().message,
                      parsed.error().path);
  }
  message_reader in(parsed->root(), bad);
  T value = read(in);
  return in.outcome(std::move(value));
}

}  // namespace detail

BERTH_DECL std::string_view kept_command_state_name(kept_command::state state) noexcept {
  switch (state) {
    case kept_command::state::waiting: return "waiting";
    case kept_command::state::running: return "running";
    case kept_command::state::exited: return "exited";
  }
  return "unknown";
}

BERTH_DECL std::string format_daemon_request(const daemon_request& request) {
  json_writer out;
  out.open_object().key("do").string(detail::daemon_request_names[static_cast<std::size_t>(request.what)]);
  if (request.lines) out.key("lines").boolean(true);
  if (request.so_far) out.key("so_far").boolean(true);
  if (request.docker) {
    out.key("docker");
    detail::write_options(out, *request.docker);
  }
  if (request.run) {
    out.key("run").open_object();
    detail::write_strings(out, "argv", request.run->argv);
    detail::write_strings(out, "env", request.run->env);
    out.key("cwd").string(request.run->cwd).key("user").string(request.run->user).close_object();
  }
  return out.close_object().take();
}

BERTH_DECL result<daemon_request> parse_daemon_request(std::string_view json) {
  return detail::read_message<daemon_request>(json, errc::invalid, [](detail::message_reader& in) {
    daemon_request out;
    const std::string what = in.text("do");
    const auto& names = detail::daemon_request_names;
    const auto at = std::find(names.begin(), names.end(), what);
    if (at == names.end()) in.fail("do", "start, stop or watch");
    else out.what = static_cast<daemon_request::kind>(at - names.begin());
    if (in.has("lines")) out.lines = in.truth("lines");
    if (in.has("so_far")) out.so_far = in.truth("so_far");
    if (in.has("docker")) out.docker = detail::read_options(in, "docker");
    if (in.has("run")) {
      detail::message_reader run(in.member("run"), errc::invalid);
      out.run.emplace();
      out.run->argv = run.texts("argv");
      out.run->env = run.texts("env");
      out.run->cwd = run.text("cwd");
      out.run->user = run.text("user");
      in.take(run, "run");
    }
    return out;
  });
}

BERTH_DECL std::string_view sandbox_event_name(sandbox_event::kind kind) noexcept {
  switch (kind) {
    case sandbox_event::kind::container_out_of_memory: return "container_out_of_memory";
    case sandbox_event::kind::docker_ready: return "docker_ready";
    case sandbox_event::kind::docker_ended: return "docker_ended";
    case sandbox_event::kind::docker_failed: return "docker_failed";
    case sandbox_event::kind::docker_stopped: break;
  }
  return "docker_stopped";
}

BERTH_DECL std::optional<sandbox_event> event_of_change(daemon_state before, const daemon_status& now) {
  sandbox_event out;
  if (now.state == before) return std::nullopt;
  switch (now.state) {
    case daemon_state::ready:
      out.what = sandbox_event::kind::docker_ready;
      out.message = now.restarts == 0 ? "Docker is ready"
                                      : "Docker is ready again, after " + counted(now.restarts, "restart") + " in all";
      return out;
    case daemon_state::starting:
      if (before != daemon_state::ready) return std::nullopt;
      out.what = sandbox_event::kind::docker_ended;
      out.message = "dockerd ended by itself, and is started again";
      return out;
    case daemon_state::failed:
      out.what = sandbox_event::kind::docker_failed;
      out.message = now.failure ? now.failure->to_error().message : "dockerd ended";
      return out;
    case daemon_state::stopped:
      out.what = sandbox_event::kind::docker_stopped;
      out.message = "Docker was stopped";
      return out;
    default: return std::nullopt;
  }
}

BERTH_DECL std::string format_sandbox_event(const sandbox_event& event) {
  json_writer out;
  detail::write_event(out, event);
  return out.take();
}

BERTH_DECL std::string format_daemon_news(const daemon_news& news) {
  json_writer out;
  out.open_object();
  if (news.status) {
    out.key("status");
    detail::write_guest_status(out, *news.status);
  }
  if (news.log) {
    out.key("log").open_object().key("level").number(static_cast<int>(news.log->level));
    out.key("message").string(detail::news_text(news.log->message)).key("fields").open_array();
    std::size_t room = 8000;
    for (const log_field& field : news.log->fields) {
      const std::string value = detail::news_text(field.value, std::min<std::size_t>(room, 4000));
      room -= std::min(room, value.size());
      out.open_array().string(field.key).string(value).close_array();
    }
    out.close_array().close_object();
  }
  if (news.event) {
    out.key("event");
    detail::write_event(out, *news.event);
  }
  if (news.line) {
    out.key("line").open_object().key("stream").number(static_cast<int>(news.line->first));
    out.key("text").string(detail::news_text(news.line->second, 16'000)).close_object();
  }
  if (news.done) out.key("done").boolean(true);
  if (news.failed) {
    out.key("failed");
    detail::write_error(out, *news.failed);
  }
  return out.close_object().take();
}

BERTH_DECL result<daemon_news> parse_daemon_news(std::string_view json) {
  return detail::read_message<daemon_news>(json, errc::hostile, [](detail::message_reader& in) {
    daemon_news out;
    if (in.has("status")) {
      detail::message_reader inner(in.member("status"), errc::hostile);
      out.status = detail::read_guest_status(inner);
      in.take(inner, "status");
    }
    if (in.has("log")) out.log = detail::read_log(in, "log");
    if (in.has("event")) out.event = detail::read_event(in, "event");
    if (in.has("line")) {
      detail::message_reader line(in.member("line"), errc::hostile);
      out.line.emplace(static_cast<output_stream>(line.number<int>("stream", 1, 2)), line.text("text"));
      in.take(line, "line");
    }
    if (in.has("done")) out.done = in.truth("done");
    if (in.has("failed")) out.failed = detail::read_error(in, "failed");
    return out;
  });
}

BERTH_DECL std::string format_guest_status(const guest_status& status) {
  json_writer out;
  detail::write_guest_status(out, status);
  return out.take();
}

BERTH_DECL result<guest_status> parse_guest_status(std::string_view json) {
  return detail::read_message<guest_status>(json, errc::hostile,
                                            [](detail::message_reader& in) { return detail::read_guest_status(in); });
}

}  // namespace berth

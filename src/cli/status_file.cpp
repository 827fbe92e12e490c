#include "status_file.hpp"

#include <berth/base/unique_fd.hpp>
#include <berth/spec/detail/document.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace berth::cli {
namespace {

// What a sandbox printed may hold a NUL, which the reader of this file refuses.
std::string without_nul(std::string text) {
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

constexpr std::array<std::string_view, 4> command_states = {"none", "waiting", "running", "exited"};
constexpr std::size_t largest_file = 1u << 20;

json failure_json(const failure_report& failure) {
  json out = json::object();
  out.set("phase", failure.phase).set("message", failure.why.message).set("elapsed_ms", failure.elapsed_ms);
  out.set("attempts", failure.attempts);
  if (!failure.exited.empty()) out.set("exited", failure.exited);
  if (!failure.last_probe.empty()) out.set("last_probe", failure.last_probe);
  if (!failure.hint_id.empty()) out.set("hint_id", failure.hint_id);
  if (!failure.why.hint.empty()) out.set("hint", failure.why.hint);
  if (!failure.why.detail.empty()) out.set("output", failure.why.detail);
  out.set("code", static_cast<int>(failure.why.code));
  return out;
}

// Reading, with what is absent read as empty or zero.
class reader {
 public:
  explicit reader(const detail::json_value* value) : value_(value) {}
  explicit operator bool() const { return value_ != nullptr; }

  reader operator[](std::string_view key) const {
    return reader(value_ != nullptr && value_->IsObject() ? detail::find_member(value_, key) : nullptr);
  }
  std::string text() const {
    return value_ != nullptr && detail::is_text(*value_) ? std::string(detail::text_of(*value_)) : std::string();
  }
  std::int64_t number() const {
    if (value_ == nullptr || !detail::is_number(*value_)) return 0;
    return std::strtoll(std::string(detail::text_of(*value_).substr(1)).c_str(), nullptr, 10);
  }
  bool truth() const { return value_ != nullptr && value_->IsTrue(); }
  std::vector<std::string> list() const { return detail::string_list(value_); }

 private:
  const detail::json_value* value_;
};

template <class Enum, class NameOf>
Enum by_name(std::string_view name, std::initializer_list<Enum> all, NameOf name_of, Enum otherwise) {
  for (const Enum value : all)
    if (name_of(value) == name) return value;
  return otherwise;
}

failure_report read_failure(const reader& in) {
  failure_report out;
  out.phase = in["phase"].text();
  out.elapsed_ms = in["elapsed_ms"].number();
  out.attempts = static_cast<std::uint32_t>(in["attempts"].number());
  out.exited = in["exited"].text();
  out.last_probe = in["last_probe"].text();
  out.hint_id = in["hint_id"].text();
  out.why = make_error(static_cast<errc>(in["code"].number()), "docker", in["message"].text(), {}, in["hint"].text());
  out.why.detail = in["output"].text();
  return out;
}

result<std::string> read_small_file(const std::string& path) {
  const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return errno_error(errno, "cli", "cannot read the sandbox's status", path);
  std::string text;
  char buffer[16 * 1024];
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error(errno, "cli", "cannot read the sandbox's status", path);
    if (n == 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > largest_file) return make_error(errc::too_big, "cli", "the sandbox's status is too long", path);
  }
}

}  // namespace

std::string_view command_state_name(command_state state) { return command_states[static_cast<std::size_t>(state)]; }

failure_report make_failure_report(const daemon_failure& failure) {
  failure_report out;
  out.why = failure.to_error();
  out.why.message = without_nul(std::move(out.why.message));
  out.why.detail = without_nul(std::move(out.why.detail));
  out.phase = failure.phase;
  out.elapsed_ms = std::chrono::duration_cast<milliseconds>(failure.elapsed).count();
  out.attempts = failure.attempts;
  if (failure.exited) out.exited = failure.exited->to_string();
  out.last_probe = without_nul(failure.last_probe);
  out.hint_id = failure.hint_id;
  return out;
}

json docker_json(const status_report& status) {
  json out = json::object();
  out.set("wanted", status.docker_wanted).set("state", daemon_state_name(status.docker));
  out.set("pid", status.docker_pid).set("ready_after_ms", status.ready_after_ms).set("restarts", status.restarts);
  if (status.failure) out.set("failure", failure_json(*status.failure));
  return out;
}

json command_json(const status_report& status) {
  json out = json::object();
  out.set("argv", json::strings(status.command)).set("state", command_state_name(status.command_is));
  if (status.command_is == command_state::exited) out.set("exit_code", status.exit_code);
  return out;
}

std::string status_path(const std::string& directory) { return directory + "/status.json"; }

result<void> write_status(const std::string& directory, const status_report& status) {
  json keeper = json::object();
  keeper.set("pid", status.keeper.pid).set("start_time", std::to_string(status.keeper.start_time));
  json file = json::object();
  file.set("version", 1).set("keeper", std::move(keeper)).set("detached", status.detached);
  file.set("docker", docker_json(status)).set("command", command_json(status));
  const std::string text = file.dump(2) + '\n';

  const std::string path = status_path(directory);
  const std::string temporary = directory + "/.status.json.new";
  const unique_fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return errno_error(errno, "cli", "cannot write the sandbox's status", temporary);
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t n = ::write(fd.get(), rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return errno_error(errno, "cli", "cannot write the sandbox's status", temporary);
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0)
    return errno_error(errno, "cli", "cannot write the sandbox's status", path);
  return {};
}

result<status_report> read_status(const std::string& directory) {
  const std::string path = status_path(directory);
  const auto text = read_small_file(path);
  if (!text) return text.error();
  detail::json_document document;
  if (const auto parsed = document.parse(*text); !parsed) {
    error e = make_error(errc::record_damaged, "cli", "the sandbox's status cannot be read", path, "remove it by berth rm");
    e.detail = parsed.error().to_string();
    return e;
  }
  const reader root(&document.root);
  status_report out;
  out.keeper.pid = static_cast<pid_t>(root["keeper"]["pid"].number());
  out.keeper.start_time = std::strtoull(root["keeper"]["start_time"].text().c_str(), nullptr, 10);
  out.detached = root["detached"].truth();
  const reader docker = root["docker"];
  out.docker_wanted = docker["wanted"].truth();
  out.docker = by_name(docker["state"].text(),
                       {daemon_state::disabled, daemon_state::not_present, daemon_state::starting, daemon_state::ready,
                        daemon_state::failed, daemon_state::stopped},
                       daemon_state_name, daemon_state::disabled);
  out.docker_pid = static_cast<int>(docker["pid"].number());
  out.ready_after_ms = docker["ready_after_ms"].number();
  out.restarts = static_cast<std::uint32_t>(docker["restarts"].number());
  if (const reader failure = docker["failure"]) out.failure = read_failure(failure);
  const reader command = root["command"];
  out.command = command["argv"].list();
  out.command_is = by_name(command["state"].text(),
                           {command_state::none, command_state::waiting, command_state::running, command_state::exited},
                           command_state_name, command_state::none);
  out.exit_code = static_cast<int>(command["exit_code"].number());
  return out;
}

}  // namespace berth::cli

#include "status_file.hpp"

#include <berth/base/file.hpp>
#include <berth/spec/json.hpp>

#include <algorithm>
#include <array>

namespace berth::cli {
namespace {

// What a sandbox printed may hold a NUL, which the reader of this file refuses.
std::string without_nul(std::string text) {
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

// A command line may have 2 MiB, more than a reader of this file takes, and is here for people only.
std::vector<std::string> shortened(const std::vector<std::string>& argv) {
  std::size_t room = 32u << 10;
  std::vector<std::string> out;
  for (const std::string& word : argv) {
    if (word.size() + 1 > room) {
      std::size_t end = std::min(room, word.size());
      while (end > 0 && (static_cast<unsigned char>(word[end - 1]) & 0xc0) == 0x80) --end;  // half a character
      if (end > 0 && static_cast<unsigned char>(word[end - 1]) >= 0xc0) --end;
      out.push_back(word.substr(0, end) + "\u2026");
      break;
    }
    room -= word.size() + 1;
    out.push_back(word);
  }
  return out;
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
  explicit reader(json_view value) : value_(value) {}
  explicit operator bool() const { return static_cast<bool>(value_); }

  reader operator[](std::string_view key) const { return reader(value_[key]); }
  std::string text() const { return std::string(value_.text().value_or(std::string_view())); }
  std::int64_t number() const { return value_.number<std::int64_t>().value_or(0); }
  bool truth() const { return value_.truth().value_or(false); }
  std::vector<std::string> list() const { return value_.texts(); }

 private:
  json_view value_;
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
  out.set("argv", json::strings(shortened(status.command))).set("state", command_state_name(status.command_is));
  if (status.command_is == command_state::exited) out.set("exit_code", status.exit_code);
  return out;
}

std::string status_path(const std::string& directory) { return directory + "/status.json"; }

result<void> write_status(const std::string& directory, const status_report& status) {
  json keeper = json::object();
  keeper.set("pid", status.keeper.pid).set("start_time", std::to_string(status.keeper.start_time));
  keeper.set("boot_id", read_boot_id());
  json file = json::object();
  file.set("version", 1).set("keeper", std::move(keeper)).set("detached", status.detached);
  file.set("docker", docker_json(status)).set("command", command_json(status));
  const std::string text = file.dump(2) + '\n';

  return replace_file(status_path(directory), text, 0600, "cli");
}

result<status_report> read_status(const std::string& directory) {
  const std::string path = status_path(directory);
  const auto text = read_file(path, largest_file, "cli");
  if (!text) return text.error();
  const auto parsed = parsed_json::parse(*text);
  if (!parsed) {
    error e = make_error(errc::record_damaged, "cli", "the sandbox's status cannot be read", path, "remove it by berth rm");
    e.detail = parsed.error().to_string();
    return e;
  }
  const reader root(parsed->root());
  status_report out;
  out.keeper.pid = static_cast<pid_t>(root["keeper"]["pid"].number());
  // Pid and start time may fit another process after a boot, which rm would kill; no process has started at 0.
  if (root["keeper"]["boot_id"].text() == read_boot_id())
    out.keeper.start_time = parse_number<std::uint64_t>(root["keeper"]["start_time"].text()).value_or(0);
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

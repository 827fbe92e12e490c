// SPDX-License-Identifier: Apache-2.0
#include "runtime.hpp"

#include "create.hpp"
#include "daemon_log.hpp"
#include "memory_limit.hpp"
#include "nested_spec.hpp"
#include "base/real_program.hpp"
#include "runtime_args.hpp"

#include <berth/base/file.hpp>
#include <berth/base/json_writer.hpp>
#include <berth/base/unique_fd.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace berth::guest {
namespace {

struct settings {
  std::string runc;
  bool unmask = false;
};

settings read_settings() {
  settings out;
  const std::string text = read_system_file(runtime_settings, 1u << 16);
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.starts_with("runc ")) out.runc = line.substr(5);
    if (line == "unmask") out.unmask = true;
  }
  return out;
}

std::string now() {
  struct timespec at {};
  ::clock_gettime(CLOCK_REALTIME, &at);
  struct tm parts {};
  ::gmtime_r(&at.tv_sec, &parts);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

// As runc says it: containerd takes the last error of --log for the reason, and what is on stderr where there is none.
void say(const runc_arguments& to, std::string_view level, const std::string& what) {
  const std::string message = "berth: " + what;
  if (level == "error") (void)write_all(2, message + "\n");
  if (to.log.empty()) return;
  const unique_fd log(::open(std::string(to.log).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644));
  if (!log) return;
  json_writer line;
  line.open_object().key("level").string(level).key("msg").string(message).key("time").string(now()).close_object();
  (void)write_all(
      log.get(),
      (to.log_json ? line.take() : "time=\"" + now() + "\" level=" + std::string(level) + " msg=\"" + message + "\"") +
          "\n");
}

std::string words_of(const error& e) {
  return e.message + (e.path.empty() ? "" : " (" + e.path + ")") + (e.hint.empty() ? "" : ": " + e.hint);
}

void note(const runc_arguments& to, const edit_notes& notes) {
  for (const std::string& one : notes) {
    say(to, "warning", one);
    write_to_daemon_log(one);
  }
}

bool has_memory_limit(const spec_builder& spec) {
  const auto limit = spec.get("/linux/resources/memory/limit");
  return limit && !limit->starts_with('-') && *limit != "0" && *limit != "null";
}

/// Changes the file that runc will read, and tells whether it has a memory limit. What berth cannot read is runc's to refuse.
result<bool> edit_spec(const runc_arguments& arguments, const sandbox_powers& powers) {
  const std::string path = arguments.bundle + "/config.json";
  auto spec = spec_builder::load(path);
  if (!spec) return false;
  const std::string before = spec->to_json();
  auto notes = edit_nested_spec(*spec, powers);
  if (!notes) return std::move(notes).error();
  const std::string after = spec->to_json();
  if (after != before) BERTH_TRY(replace_file(path, after, 0600, "runtime"));
  note(arguments, *notes);
  return has_memory_limit(*spec);
}

result<bool> edit_process(const runc_arguments& arguments, const sandbox_powers& powers) {
  const std::string path(arguments.process);
  const auto text = read_file(path, 16u << 20, "runtime");
  if (!text) return false;
  auto edited = edit_nested_process(*text, powers);
  if (!edited) return false;
  note(arguments, edited->notes);
  BERTH_TRY(replace_file(path, edited->json, 0600, "runtime"));
  return false;
}

}  // namespace

int run_nested_runtime(int argc, char** argv) {
  const runc_arguments arguments = read_runc_arguments({argv + 1, argv + argc});
  settings with = read_settings();
  if (with.runc.empty()) with.runc = find_real_program("runc");
  if (with.runc.empty()) {
    say(arguments, "error", "there is no runc in this sandbox: install it (Debian: runc)");
    return 1;
  }

  std::vector<char*> run(argv, argv + argc);
  char keyring[] = "--no-new-keyring";
  bool limited = false;
  const bool starts = arguments.verb == "create" || arguments.verb == "run";
  if (starts || (arguments.verb == "exec" && !arguments.process.empty())) {
    sandbox_powers powers = powers_of_this_sandbox();
    powers.unmask_directories = with.unmask;
    const auto edited = starts ? edit_spec(arguments, powers) : edit_process(arguments, powers);
    if (!edited) {
      say(arguments, "error", words_of(edited.error()));
      return 1;
    }
    limited = *edited;
  }
  // gVisor never frees a keyring, and has no operation that would put a key in one: after kernel.keys.maxkeys containers
  // there would be no other. One keyring for all hides nothing.
  if (starts && !arguments.keyring_said)
    run.insert(run.begin() + 1 + static_cast<std::ptrdiff_t>(arguments.verb_at) + 1, keyring);
  run.push_back(nullptr);
  if (arguments.verb == "create" && !arguments.pid_file.empty() && !arguments.id.empty() && !arguments.console) {
    run.front() = with.runc.data();
    const int code = create_container(arguments, run);
    if (code == 0 && limited) hold_to_memory_limit(arguments);
    return code;
  }
  if ((limited || arguments.verb == "update") && !arguments.id.empty()) hold_to_memory_limit(arguments);
  if (arguments.verb == "run" && may_run_again(arguments)) {
    run.front() = with.runc.data();
    return run_container(arguments, run);
  }
  ::execv(with.runc.c_str(), run.data());
  say(arguments, "error", "cannot execute " + with.runc + ": " + std::strerror(errno));
  return 1;
}

}  // namespace berth::guest

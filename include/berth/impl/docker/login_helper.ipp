// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/base64.hpp>
#include <berth/base/json_writer.hpp>
#include <berth/base/visible_text.hpp>
#include <berth/docker/login_helper.hpp>
#include <berth/process/process.hpp>
#include <berth/spec/json.hpp>

#include <boost/asio/this_coro.hpp>

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <utility>
#include <vector>

namespace berth {
namespace detail {

inline constexpr std::string_view docker_hub_login = "https://index.docker.io/v1/";
inline constexpr std::size_t most_login_answer_bytes = std::size_t{64} << 10;

inline std::string login_file_hint(const std::string& registry) {
  return "`docker --config DIR login " + registry +
         "` with a DIR that has no config.json writes them to DIR/config.json, which can be named";
}

/// The environment of this process, but for entries that no program can be given.
inline std::vector<std::string> callers_environment() {
  std::vector<std::string> out;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry)
    if (const std::string_view text = *entry; text.find('=', 1) != std::string_view::npos && text.front() != '=')
      out.emplace_back(text);
  return out;
}

inline std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// One helper that is asked for the credentials of one registry.
class login_helper_call {
 public:
  login_helper_call(const std::string& name, const std::string& registry)
      : program_("docker-credential-" + name), registry_(registry) {}

  boost::asio::awaitable<result<std::string>> run(time_point deadline) const {
    spawn_options program;
    program.argv = {program_, "get"};
    program.env = callers_environment();
    program.parent_death_signal = SIGKILL;
    stdio_options io;
    io.in = stdio_options::input::text;
    io.in_text = login_server(registry_);
    io.err = stdio_options::output::null;  // traces of a helper that is a script can hold the secret
    io.capture_limit = most_login_answer_bytes;
    process* running = nullptr;
    std::size_t printed = 0;
    io.on_data = [&running, &printed](output_stream, std::string_view piece) {
      printed += piece.size();
      if (printed > most_login_answer_bytes) (void)running->signal_group(SIGKILL);
    };
    auto executor = co_await boost::asio::this_coro::executor;
    auto helper = process::start(std::move(executor), std::move(program), std::move(io));
    if (!helper) co_return not_started(std::move(helper).error());
    running = &*helper;
    const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    auto waiting = helper->wait(deadline);
    const auto ended = co_await std::move(waiting);
    if (!ended) {
      auto stopping = helper->stop(duration::zero());
      (void)co_await std::move(stopping);
    }
    co_await boost::asio::this_coro::throw_if_cancelled(throws);
    if (printed > most_login_answer_bytes)
      co_return failed(errc::too_big, "printed more than 64 KiB in place of the credentials for " + registry_);
    if (!ended && ended.error().code == errc::timeout)
      co_return failed(errc::timeout,
                       "was asked for the credentials for " + registry_ + ", did not end in time and was killed");
    if (!ended) co_return ended.error();
    const std::string said = helper->output(output_stream::out);
    if (!ended->success()) co_return refused(*ended, said);
    co_return entry_of(said);
  }

 private:
  error failed(errc code, const std::string& what) const {
    return make_error(code, "docker", program_ + " " + what, program_,
                      "`" + program_ + " get`, with " + login_server(registry_) +
                          " on its standard input, has to print them without asking anybody; else " +
                          login_file_hint(registry_));
  }

  error has_none() const {
    return make_error(errc::not_found, "docker", program_ + " has no credentials for " + registry_, program_,
                      "`docker login " + registry_ + "` first, as the user and with the environment that berth has");
  }

  error not_started(error e) const {
    e.layer = "docker";
    e.path = program_;
    if (e.code == errc::not_found) {
      e.message =
          "the credentials for " + registry_ + " are kept by " + program_ + ", which is in no directory of PATH";
      e.hint = "install " + program_ + ", or set PATH to where it is; " + login_file_hint(registry_);
    } else {
      e.message = "the credentials for " + registry_ + " are kept by " + program_ + ": " + e.message;
    }
    return e;
  }

  /// One that fails tells its reason on standard output.
  error refused(const exit_status& status, std::string_view said) const {
    said = without_blanks(said);
    if (said == "credentials not found in native keychain") return has_none();
    std::string why = "gave no credentials for " + registry_ + " and ended with " + status.to_string();
    // What looks like an answer may hold a secret all the same.
    if (said.find('{') != std::string_view::npos) said = {};
    if (!said.empty()) append_shown(why += ": ", said.substr(0, 256).substr(0, said.find('\n')));
    return failed(errc::io, why);
  }

  result<std::string> entry_of(std::string_view said) const {
    const auto answer = parsed_json::parse(said);
    // The parser's own words may quote what is there.
    if (!answer || !answer->root()["Username"].text() || !answer->root()["Secret"].text())
      return failed(errc::invalid, "printed something else than the credentials for " + registry_ +
                                       R"(: a JSON object with "Username" and "Secret" is wanted)");
    const std::string user(*answer->root()["Username"].text()), secret(*answer->root()["Secret"].text());
    if (user.empty() || secret.empty()) return has_none();
    berth::json_writer entry;
    entry.open_object();
    if (user == "<token>") {
      entry.key("identitytoken").string(secret);
    } else if (user.find(':') != std::string::npos) {
      return failed(errc::invalid,
                    "gave a user name with a colon for " + registry_ + ", which no config.json can hold");
    } else {
      entry.key("auth").string(to_base64(user + ":" + secret));
    }
    entry.close_object();
    return entry.take();
  }

  std::string program_;
  std::string registry_;
};

}  // namespace detail

BERTH_DECL std::string login_server(std::string_view registry) {
  for (const std::string_view scheme : {"https://", "http://"})
    if (registry.starts_with(scheme)) registry.remove_prefix(scheme.size());
  const std::string host(registry.substr(0, registry.find('/')));
  return host == "docker.io" || host == "index.docker.io" || host == "registry-1.docker.io"
             ? std::string(detail::docker_hub_login)
             : host;
}

BERTH_DECL bool is_login_helper(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 128 &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_word_character(c) || c == '.' || c == '-'; });
}

BERTH_DECL boost::asio::awaitable<result<std::string>> ask_login_helper(std::string name, std::string registry,
                                                                        time_point deadline) {
  if (!is_login_helper(name))
    co_return make_error(
        errc::invalid, "docker",
        "the program that keeps the credentials for " + registry + " has a name that cannot be one", registry,
        "credHelpers and credsStore hold the NAME of docker-credential-NAME: letters, digits, '.', '_' and '-'");
  const detail::login_helper_call call(name, registry);
  auto asking = call.run(deadline);
  co_return co_await std::move(asking);
}

}  // namespace berth

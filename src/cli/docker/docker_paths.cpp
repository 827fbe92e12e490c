// SPDX-License-Identifier: Apache-2.0
#include "docker/docker_paths.hpp"

#include "options/options.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace berth::cli {
namespace {

using words_iterator = std::vector<std::string>::const_iterator;

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& all) {
  return std::find(all.begin(), all.end(), word) != all.end();
}

// Options that stand alone; every other one takes a value, behind `=` or as the next word.
constexpr std::array<std::string_view, 6> docker_flags = {"--debug",     "-D",     "--tls",
                                                          "--tlsverify", "--help", "--version"};
constexpr std::array<std::string_view, 15> run_flags = {"--detach",
                                                        "--interactive",
                                                        "--tty",
                                                        "--rm",
                                                        "--init",
                                                        "--privileged",
                                                        "--read-only",
                                                        "--publish-all",
                                                        "--no-healthcheck",
                                                        "--oom-kill-disable",
                                                        "--sig-proxy",
                                                        "--disable-content-trust",
                                                        "--quiet",
                                                        "--help",
                                                        "--use-api-socket"};
constexpr std::string_view run_letters = "ditPq";
constexpr std::array<std::string_view, 6> compose_flags = {"--all-resources", "--compatibility", "--dry-run",
                                                           "--verbose",       "--help",          "--version"};

// Past the options in front of a verb.
template <std::size_t N>
words_iterator skip_options(words_iterator at, words_iterator end, const std::array<std::string_view, N>& flags) {
  while (at != end && at->size() > 1 && at->front() == '-') {
    const bool takes_next =
        at->find('=') == std::string::npos && !is_one_of(*at, flags) && (at->starts_with("--") || at->size() == 2);
    ++at;
    if (takes_next && at != end) ++at;
  }
  return at;
}

void add_path(std::string_view source, std::vector<std::string>& out) {
  if (source.starts_with('/')) out.emplace_back(source);
  else if (source == "." || source == ".." || source.starts_with("./") || source.starts_with("../"))
    out.push_back(absolute_path(std::string(source)));
}

void add_volume(std::string_view value, std::vector<std::string>& out) {
  const std::size_t colon = value.find(':');
  if (colon != std::string_view::npos) add_path(value.substr(0, colon), out);
}

void add_mount(std::string_view value, std::vector<std::string>& out) {
  bool is_bind = false;
  std::string_view source;
  while (!value.empty()) {
    const std::string_view part = value.substr(0, value.find(','));
    value.remove_prefix(std::min(part.size() + 1, value.size()));
    if (part == "type=bind") is_bind = true;
    for (const std::string_view key : {"source=", "src="})
      if (part.starts_with(key)) source = part.substr(key.size());
  }
  if (is_bind) add_path(source, out);
}

}  // namespace

std::vector<std::string> bind_sources(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  auto at = skip_options(words.begin(), words.end(), docker_flags);
  if (at != words.end() && *at == "container") ++at;
  if (at == words.end() || (*at != "run" && *at != "create")) return out;
  for (++at; at != words.end(); ++at) {
    const std::string_view word = *at;
    if (word.size() < 2 || word.front() != '-' || word == "--") break;  // the image
    std::string_view name = word, value;
    bool has_value = false;
    if (word.starts_with("--")) {
      if (const std::size_t equals = word.find('='); equals != std::string_view::npos) {
        name = word.substr(0, equals);
        value = word.substr(equals + 1);
        has_value = true;
      } else if (is_one_of(name, run_flags)) {
        continue;
      }
    } else {
      // Letters in one word, of which the last may take the rest of it.
      const std::size_t letter = word.find_first_not_of(run_letters, 1);
      if (letter == std::string_view::npos) continue;
      name = word[letter] == 'v' ? "--volume" : "";
      value = word.substr(letter + 1);
      if (value.starts_with('=')) value.remove_prefix(1);
      has_value = letter + 1 < word.size();
    }
    if (!has_value) {
      if (++at == words.end()) break;
      value = *at;
    }
    if (name == "--volume") add_volume(value, out);
    if (name == "--mount") add_mount(value, out);
  }
  return out;
}

std::optional<std::vector<std::string>> compose_config_words(const std::vector<std::string>& words) {
  auto at = skip_options(words.begin(), words.end(), docker_flags);
  if (at == words.end() || *at != "compose") return std::nullopt;
  at = skip_options(at + 1, words.end(), compose_flags);
  if (at == words.end() || !is_one_of(*at, std::array<std::string_view, 4>{"up", "run", "create", "watch"}))
    return std::nullopt;
  std::vector<std::string> out(words.begin(), at);
  out.insert(out.end(), {"config", "--format", "json"});
  return out;
}

std::vector<std::string> compose_sources(json_view model) {
  std::vector<std::string> out;
  const json_view services = model["services"];
  for (std::size_t i = 0; i < services.size(); ++i) {
    const json_view volumes = services.at(i)["volumes"];
    for (std::size_t k = 0; k < volumes.size(); ++k)
      if (volumes.at(k)["type"].text() == "bind") add_path(volumes.at(k)["source"].text().value_or(""), out);
  }
  for (const char* kind : {"secrets", "configs"}) {
    const json_view all = model[kind];
    for (std::size_t i = 0; i < all.size(); ++i) add_path(all.at(i)["file"].text().value_or(""), out);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace berth::cli

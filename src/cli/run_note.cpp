// SPDX-License-Identifier: Apache-2.0
#include "run_note.hpp"

#include "json.hpp"

#include <berth/base/file.hpp>
#include <berth/spec/json.hpp>

#include <algorithm>

namespace berth::cli {
namespace {

// A command line may have 2 MiB, and is here for people only.
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

constexpr std::size_t largest_file = 1u << 20;

std::string path_of(const std::string& directory) { return directory + "/run.json"; }

}  // namespace

result<void> write_run_note(const std::string& directory, const run_note& note) {
  json file = json::object();
  file.set("version", 1).set("detached", note.detached).set("docker", note.docker);
  file.set("command", json::strings(shortened(note.command)));
  return replace_file(path_of(directory), file.dump(2) + '\n', 0600, "cli");
}

result<run_note> read_run_note(const std::string& directory) {
  const std::string path = path_of(directory);
  const auto text = read_file(path, largest_file, "cli");
  if (!text) return text.error();
  const auto parsed = parsed_json::parse(*text);
  if (!parsed) {
    error e = make_error(errc::record_damaged, "cli", "what the sandbox was made for cannot be read", path,
                         "remove it by berth rm");
    e.detail = parsed.error().to_string();
    return e;
  }
  const json_view root = parsed->root();
  run_note out;
  out.detached = root["detached"].truth().value_or(false);
  out.docker = root["docker"].truth().value_or(false);
  out.command = root["command"].texts();
  return out;
}

}  // namespace berth::cli

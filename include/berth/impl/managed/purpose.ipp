// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/json_writer.hpp>
#include <berth/managed/purpose.hpp>
#include <berth/spec/json.hpp>

#include <algorithm>

namespace berth {
namespace detail {

// A command line may have 2 MiB, and is here for people only.
inline std::vector<std::string> shortened(const std::vector<std::string>& argv) {
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

inline std::string purpose_path(const std::string& directory) { return directory + "/run.json"; }

}  // namespace detail

BERTH_DECL result<void> write_purpose(const std::string& directory, const sandbox_purpose& purpose) {
  json_writer file(2);
  file.open_object().key("version").number(1);
  file.key("detached").boolean(purpose.detached).key("docker").boolean(purpose.docker).key("command").open_array();
  for (const std::string& word : detail::shortened(purpose.command)) file.string(word);
  file.close_array().close_object();
  return replace_file(detail::purpose_path(directory), file.take() + '\n', 0600, "managed");
}

BERTH_DECL result<sandbox_purpose> read_purpose(const std::string& directory) {
  const std::string path = detail::purpose_path(directory);
  const auto text = read_file(path, 1u << 20, "managed");
  if (!text) return text.error();
  const auto parsed = parsed_json::parse(*text);
  if (!parsed) {
    error e = make_error(errc::record_damaged, "managed", "what the sandbox was made for cannot be read", path,
                         "remove the sandbox");
    e.detail = parsed.error().to_string();
    return e;
  }
  const json_view root = parsed->root();
  sandbox_purpose out;
  out.detached = root["detached"].truth().value_or(false);
  out.docker = root["docker"].truth().value_or(false);
  out.command = root["command"].texts();
  return out;
}

}  // namespace berth

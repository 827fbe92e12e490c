// SPDX-License-Identifier: Apache-2.0
#include "options/variables.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>

#include <fcntl.h>

#include <cstdlib>
#include <cstring>

namespace berth::cli {
namespace {

// A value may be a secret: no error shows what stands behind "=".
std::string name_of(const std::string& variable) { return variable.substr(0, variable.find('=')); }

// Appends it, with our own value where it has none.
void add(std::vector<std::string>& out, const std::string& variable) {
  if (variable.find('=') != std::string::npos) {
    out.push_back(variable);
  } else if (const char* value = std::getenv(variable.c_str())) {
    out.push_back(variable + "=" + value);
  }
}

}  // namespace

void add_variables(CLI::App& app, variable_options& into) {
  add_from_table(app, "sandbox.env", into.env);
  add_from_table(app, "run.env_file", into.files);
}

result<std::vector<std::string>> parse_env_file(std::string_view text, const std::string& path) {
  std::vector<std::string> out;
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.empty() || line.front() == '#') continue;
    const std::string_view name = line.substr(0, line.find('='));
    if (name.empty() || name.find_first_of(" \t") != std::string_view::npos ||
        line.find('\0') != std::string_view::npos)
      return usage_error("line " + std::to_string(number) + " of " + path + " is not of the form NAME=VALUE",
                         "--env-file");
    out.emplace_back(line);
  }
  return out;
}

result<std::vector<std::string>> gather_variables(const variable_options& given) {
  std::vector<std::string> out;
  for (const std::string& path : given.files) {
    const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));  // a pipe too: <(…)
    std::string text;
    const int failed = file ? read_all(file.get(), text, 1u << 20) : errno;
    if (failed != 0) return usage_error("cannot read " + path + ": " + std::strerror(failed), "--env-file");
    auto lines = parse_env_file(text, path);
    if (!lines) return std::move(lines).error();
    for (const std::string& line : *lines) add(out, line);
  }
  for (const std::string& variable : given.env) {
    const std::string name = name_of(variable);
    if (name.empty()) return usage_error(in_quotes(variable) + " is not of the form NAME=VALUE", "--env");
    add(out, variable);
  }
  return out;
}

}  // namespace berth::cli

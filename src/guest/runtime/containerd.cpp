// SPDX-License-Identifier: Apache-2.0
#include "containerd.hpp"

#include "base/complain.hpp"
#include "base/real_program.hpp"
#include "runtime.hpp"
#include "base/words.hpp"

#include <berth/base/file.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <vector>

namespace berth::guest {
namespace {

constexpr std::string_view snapshotter = "io.containerd.snapshotter.v1.overlayfs";

/// The value of `key = "value"`, where the line is that.
std::string_view value_in(std::string_view line, std::string_view key) {
  std::string_view word, is;
  if (!next_word(line, word) || word != key || !next_word(line, is) || is != "=") return {};
  line.remove_prefix(std::min(line.size(), line.find_first_not_of(' ')));
  if (line.size() < 2 || (line.front() != '"' && line.front() != '\'') || line.back() != line.front())
    return line;  // a number
  return line.substr(1, line.size() - 2);
}

bool lead(const std::string& link, const std::string& to) {
  char now[4096];
  const ssize_t n = ::readlink(link.c_str(), now, sizeof now);
  if (n >= 0 && std::string_view(now, static_cast<std::size_t>(n)) == to) return true;
  // What else stands there is not ours.
  if (n < 0 && errno != ENOENT) return false;
  return (n < 0 || ::unlink(link.c_str()) == 0) && ::symlink(to.c_str(), link.c_str()) == 0;
}

/// The path of a configuration to be used in place of that of `path`; empty: none.
std::string shortened(const std::string& path) {
  std::string directory;
  const std::string edited = with_short_snapshots(read_system_file(path, 1u << 20), short_snapshots, directory);
  if (edited.empty()) return {};
  // In the mode that containerd would give them.
  for (std::size_t end = directory.find('/', 1);; end = directory.find('/', end + 1)) {
    const std::string one = directory.substr(0, end);
    if (::mkdir(one.c_str(), 0700) != 0 && errno != EEXIST) {
      complain_errno("cannot make " + one);
      return {};
    }
    if (end == std::string::npos) break;
  }
  if (!lead(short_snapshots, directory)) {
    complain_errno(std::string("cannot make ") + short_snapshots);
    return {};
  }
  const std::string beside = std::string(runtime_directory) + "/containerd.toml";
  if (auto written = replace_file(beside, edited, 0600, "containerd"); !written) {
    complain(written.error().to_string());
    return {};
  }
  return beside;
}

}  // namespace

std::string with_short_snapshots(std::string_view config, std::string_view link, std::string& directory) {
  if (config.find(snapshotter) != std::string_view::npos) return {};
  std::string_view rest = config, line, root, version;
  // The keys of no table come first.
  while (next_line(rest, line) && !line.starts_with('[')) {
    if (const std::string_view value = value_in(line, "root"); !value.empty()) root = value;
    if (const std::string_view value = value_in(line, "version"); !value.empty()) version = value;
  }
  // Version 1 names plugins in another way, and had a snapshotter before Docker could use it.
  if (root.empty() || root.front() != '/' || (version != "2" && version != "3")) return {};
  directory = std::string(root) + "/" + std::string(snapshotter);
  std::string out(config);
  if (!out.ends_with('\n')) out += '\n';
  return out + "\n[plugins.\"" + std::string(snapshotter) + "\"]\n  root_path = \"" + std::string(link) + "\"\n";
}

int run_containerd(int argc, char** argv) {
  const std::string real = find_real_program("containerd");
  if (real.empty()) {
    complain("there is no containerd in this sandbox");
    return 127;
  }
  std::vector<std::string> args(argv + 1, argv + argc);
  for (std::size_t i = 0; i < args.size(); ++i) {
    const bool apart = (args[i] == "--config" || args[i] == "-c") && i + 1 < args.size();
    if (!apart && !args[i].starts_with("--config=")) continue;
    const std::string path = shortened(apart ? args[i + 1] : args[i].substr(9));
    if (path.empty()) break;
    if (apart) args[i + 1] = path;
    else args[i] = "--config=" + path;
    break;
  }
  std::vector<char*> run{const_cast<char*>(real.c_str())};
  for (std::string& arg : args) run.push_back(arg.data());
  run.push_back(nullptr);
  ::execv(real.c_str(), run.data());
  complain_errno("cannot execute " + real);
  return 126;
}

}  // namespace berth::guest

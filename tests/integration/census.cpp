// SPDX-License-Identifier: Apache-2.0
#include "support/census.hpp"

#include <berth/sandbox/detail/host_resources.hpp>
#include <berth/sandbox/detail/root_marker.hpp>

#include <dirent.h>
#include <net/if.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>
#include <vector>

namespace berth_test {

namespace {

std::vector<std::string> entries(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), &::closedir);
  if (!dir) return names;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  return names;
}

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string link_target(const std::string& path) {
  char target[4096];
  const ssize_t n = ::readlink(path.c_str(), target, sizeof target);
  return n > 0 ? std::string(target, static_cast<std::size_t>(n)) : std::string();
}

std::string output_of(const char* command) {
  std::string text;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command, "re"), &::pclose);
  char buffer[4096];
  while (pipe) {
    const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe.get());
    if (n == 0) break;
    text.append(buffer, n);
  }
  return text;
}

}  // namespace

census census::take(const std::string& root) {
  census all;
  // Before the first sandbox the root has no mark, and nothing on the host is its own.
  const auto prefix = berth::detail::find_root_prefix(root);
  const std::string token = prefix && !prefix->empty() ? *prefix : "(none)";

  for (const std::string& pid : entries("/proc")) {
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    std::string cmdline = slurp("/proc/" + pid + "/cmdline");
    for (char& c : cmdline) c = c == '\0' ? ' ' : c;
    const std::string stat = slurp("/proc/" + pid + "/stat");
    const std::size_t close = stat.rfind(") ");
    if (close == std::string::npos) continue;
    const bool child =
        stat.compare(close + 4, std::to_string(::getpid()).size() + 1, std::to_string(::getpid()) + " ") == 0;
    // Our children dead and unreaped count as well: somebody has forgotten them.
    if (child || (cmdline.find(root) != std::string::npos && std::stoi(pid) != ::getpid())) {
      all.found["processes"].insert(pid + " " + stat.substr(close + 2, 1) + " " + cmdline);
    }
  }

  std::map<std::string, int> kinds;  // descriptors by what they are: numbers vary
  for (const std::string& fd : entries("/proc/self/fd")) {
    const std::string target = link_target("/proc/self/fd/" + fd);
    if (target.empty() || target == "/proc/self/fd" || target.find("/fd") == target.size() - 3) continue;
    const std::string kind = target.substr(0, target.find('['));
    all.found["descriptors"].insert(kind + " #" + std::to_string(++kinds[kind]));
  }

  std::istringstream mounts(slurp("/proc/self/mountinfo"));
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(root) != std::string::npos || line.find("berth-" + token) != std::string::npos) {
      all.found["mounts"].insert(line);
    }
  }
  for (const std::string& name : entries("/run/netns")) {
    if (name.rfind("berth-" + token, 0) == 0) all.found["namespaces"].insert(name);
  }
  if (struct if_nameindex* list = ::if_nameindex()) {
    for (const struct if_nameindex* entry = list; entry->if_index != 0; ++entry) {
      if (std::string(entry->if_name).rfind("bv" + token, 0) == 0) all.found["links"].insert(entry->if_name);
    }
    ::if_freenameindex(list);
  }
  std::istringstream tables(output_of("nft list tables"));
  for (std::string line; std::getline(tables, line);) {
    if (line.find("berth_" + token) != std::string::npos) all.found["rules"].insert(line);
  }
  for (const std::string& name : berth::detail::find_cgroups("berth-" + token).value())
    all.found["cgroups"].insert(name);
  for (const std::string& name : entries(root))
    if (!name.starts_with(".root-")) all.found["directories"].insert(name);
  return all;
}

std::string census::more_than(const census& before) const {
  std::string text;
  for (const auto& [kind, names] : found) {
    const auto was = before.found.find(kind);
    for (const std::string& name : names) {
      if (was == before.found.end() || was->second.count(name) == 0) text += kind + ": " + name + "\n";
    }
  }
  return text;
}

std::string left_behind(const std::string& root, const census& before) {
  std::string difference;
  for (int attempt = 0; attempt < 100; ++attempt) {
    difference = census::take(root).more_than(before);
    if (difference.empty()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return difference;
}

}  // namespace berth_test

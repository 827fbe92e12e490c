// SPDX-License-Identifier: Apache-2.0
#include "start/network_record.hpp"

#include "base/words.hpp"
#include "runtime/runtime.hpp"

#include <berth/base/file.hpp>
#include <berth/base/text.hpp>

namespace berth::guest {
namespace {

const std::string& path() {
  static const std::string text = std::string(runtime_directory) + "/network";
  return text;
}

}  // namespace

std::string format_network_record(const network_record& what) {
  std::string outside;
  for (const std::string& link : what.rules.outside) outside += (outside.empty() ? "" : " ") + link;
  return what.rules.iptables + "\n" + what.rules.device + "\n" + what.rules.address + "\n" + outside + "\n" +
         what.networks + "\n" + std::to_string(what.dockerd) + "\n";
}

bool parse_network_record(std::string_view text, network_record& to) {
  std::string outside, dockerd;
  for (std::string* line :
       {&to.rules.iptables, &to.rules.device, &to.rules.address, &outside, &to.networks, &dockerd}) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return false;
    *line = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  std::string_view rest = outside, word;
  to.rules.outside.clear();
  while (next_word(rest, word)) to.rules.outside.emplace_back(word);
  const auto pid = parse_number<pid_t>(dockerd);
  to.dockerd = pid ? *pid : 0;
  return pid && text.empty() && !to.rules.iptables.empty();
}

network_record read_network_record() {
  network_record found;
  if (!parse_network_record(read_system_file(path()), found)) return {};
  return found;
}

bool write_network_record(const network_record& what) {
  return static_cast<bool>(replace_file(path(), format_network_record(what), 0644, "docker"));
}

}  // namespace berth::guest

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/docker/start_arguments.hpp>

#include <utility>

namespace berth {
namespace detail {

inline constexpr std::pair<docker_start_arguments::runtime, std::string_view> docker_start_runtimes[] = {
    {docker_start_arguments::runtime::plain, "plain"},
    {docker_start_arguments::runtime::guest, "guest"},
    {docker_start_arguments::runtime::unmasking, "unmasking"}};

}  // namespace detail

BERTH_DECL std::vector<std::string> format_docker_start(std::string_view program, const docker_start_arguments& what) {
  std::vector<std::string> argv = {std::string(program), std::string(docker_start_verb)};
  if (!what.device.empty()) argv.push_back("--device=" + what.device);
  if (!what.address.empty()) argv.push_back("--address=" + what.address);
  if (what.mtu) argv.push_back("--mtu");
  if (what.snat) argv.push_back("--snat");
  argv.push_back("--data-root=" + what.data_root);
  for (const auto& [runtime, name] : detail::docker_start_runtimes)
    if (runtime == what.before_runc) argv.push_back("--runtime=" + std::string(name));
  argv.push_back("--");
  argv.insert(argv.end(), what.dockerd.begin(), what.dockerd.end());
  return argv;
}

BERTH_DECL result<docker_start_arguments> parse_docker_start(const std::vector<std::string>& args) {
  docker_start_arguments out;
  out.mtu = out.snat = false;
  const auto bad = [](const std::string& arg) {
    return make_error(errc::invalid, "docker", "no argument of " + std::string(docker_start_verb), arg);
  };
  std::size_t at = 0;
  for (; at < args.size() && args[at] != "--"; ++at) {
    const std::string& arg = args[at];
    const std::size_t equals = arg.find('=');
    const std::string_view name = std::string_view(arg).substr(0, equals);
    const std::string value = equals == std::string::npos ? std::string() : arg.substr(equals + 1);
    if (arg == "--mtu") out.mtu = true;
    else if (arg == "--snat") out.snat = true;
    else if (equals == std::string::npos) return bad(arg);
    else if (name == "--device") out.device = value;
    else if (name == "--address") out.address = value;
    else if (name == "--data-root") out.data_root = value;
    else if (name == "--runtime") {
      bool known = false;
      for (const auto& [runtime, word] : detail::docker_start_runtimes) {
        if (word != value) continue;
        out.before_runc = runtime;
        known = true;
      }
      if (!known) return bad(arg);
    } else {
      return bad(arg);
    }
  }
  if (at + 1 >= args.size())
    return make_error(errc::invalid, "docker", "what is to be started is missing behind --", "--");
  out.dockerd.assign(args.begin() + static_cast<std::ptrdiff_t>(at) + 1, args.end());
  return out;
}

}  // namespace berth

// SPDX-License-Identifier: Apache-2.0
// berth-init: the program that berth brings into a sandbox. As its first process it reaps orphans. `--socket PATH` runs
// commands for the host and keeps dockerd; `start-docker …` prepares the sandbox for dockerd and becomes it; `follow-bridges`
// runs beside that; called `runc` it is the nested runtime, called `containerd` it becomes that with short paths, and called
// `docker-proxy` it keeps that. On the host, `watch ROOT PROGRAM` ends sandboxes with their creator or owner, or after their time, and `names ROOT` answers their
// questions for names. Linked statically, so that it runs in any root file system.
#include "runtime/containerd.hpp"
#include "runtime/port_proxy.hpp"
#include "runtime/runtime.hpp"
#include "start/bridges.hpp"
#include "start/start_docker.hpp"
#include "serve.hpp"
#include "host/names.hpp"
#include "host/root_watch.hpp"

#include <berth/docker/start_arguments.hpp>

#include <unistd.h>

#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace {

int run(int argc, char** argv) {
  const std::string_view path = argc > 0 ? argv[0] : "";
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name == "runc") return berth::guest::run_nested_runtime(argc, argv);
  if (name == "containerd") return berth::guest::run_containerd(argc, argv);
  if (name == "docker-proxy") return berth::guest::run_port_proxy(argc, argv);
  if (argc > 1 && argv[1] == berth::docker_start_verb)
    return berth::guest::start_docker(std::vector<std::string>(argv + 2, argv + argc));
  if (argc == 2 && std::string_view(argv[1]) == berth::guest::follow_bridges_verb)
    return berth::guest::follow_bridges();
  if (argc == 4 && std::string_view(argv[1]) == "watch") return berth::guest::watch_root(argv[2], argv[3]);
  if (argc == 3 && std::string_view(argv[1]) == "names") return berth::guest::answer_names(argv[2]);
  return berth::guest::serve(argc, argv);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {  // memory, for the most part
    const std::string_view what = e.what();
    (void)!::write(2, "berth-init: ", 12);
    (void)!::write(2, what.data(), what.size());
    (void)!::write(2, "\n", 1);
    return 1;
  }
}

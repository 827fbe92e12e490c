// SPDX-License-Identifier: Apache-2.0
// berth-init: the program that berth brings into a sandbox. As its first process it reaps orphans. `--socket PATH` runs
// commands for the host and keeps dockerd, called `runc` it is the nested runtime, called `containerd` it becomes that with short paths, and `prepare RUNC [unmask]` is a step of
// dockerd's start. On the host, `watch TOKEN PROGRAM LIFETIME owner|-` ends a sandbox with its creator or owner, or after its
// time. Linked statically, so that it runs in any root file system.
#include "runtime/containerd.hpp"
#include "docker/prepare.hpp"
#include "runtime/runtime.hpp"
#include "serve.hpp"
#include "host/watch.hpp"

#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <string_view>

namespace {

int run(int argc, char** argv) {
  const std::string_view path = argc > 0 ? argv[0] : "";
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name == "runc") return berth::guest::run_nested_runtime(argc, argv);
  if (name == "containerd") return berth::guest::run_containerd(argc, argv);
  if (argc == 4 && std::string_view(argv[1]) == "prepare")
    return berth::guest::prepare_for_docker(argv[2], std::string_view(argv[3]) == "unmask");
  if (argc == 6 && std::string_view(argv[1]) == "watch")
    return berth::guest::watch_creator(argv[2], argv[3], std::atoll(argv[4]), std::string_view(argv[5]) == "owner");
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

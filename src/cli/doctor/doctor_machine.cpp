// SPDX-License-Identifier: Apache-2.0
#include "doctor/doctor_machine.hpp"

#include "loop.hpp"

namespace berth::cli {
namespace {

machine_check check_docker_client() {
  const std::string path = find_program("docker");
  if (!path.empty()) return {"docker client", check_state::found, path, {}, false};
  return {"docker client", check_state::missing, "not on PATH",
          "berth docker uses the client inside the sandbox then; for one of your own install docker-cli", false};
}

}  // namespace

std::vector<machine_check> examine_machine(const environment& where, const examined_rootfs& rootfs) {
  std::vector<machine_check> out = check_machine(where, rootfs);
  out.push_back(check_docker_client());
  return out;
}

}  // namespace berth::cli

// SPDX-License-Identifier: Apache-2.0
// Made by options/generate from options/hints.toml: do not edit.
// What is to be done, in words that hold for the users of every front end; each puts its own in their place.
#pragma once

#include <string>
#include <string_view>

namespace berth::hints {

inline std::string remove_sandbox(std::string_view about) {
  return "remove the sandbox " + std::string(about);
}
inline std::string remove_by_force(std::string_view about) {
  return "remove at once the sandbox " + std::string(about);
}
inline std::string remove_damaged() {
  return "removing the sandbox takes away what is left of it";
}
inline std::string collect_garbage() {
  return "collect garbage";
}
inline std::string list_sandboxes() {
  return "a list of the sandboxes shows those there are";
}
inline std::string list_snapshots() {
  return "a list of the snapshots shows those there are";
}
inline std::string remove_snapshot(std::string_view about) {
  return "remove the snapshot " + std::string(about);
}
inline std::string dockerd_log(std::string_view about) {
  return "dockerd's log tells more about the sandbox " + std::string(about);
}
inline std::string check_machine() {
  return "check this machine";
}
inline std::string with_docker() {
  return "make it with Docker";
}
inline std::string shorter_root() {
  return "choose a shorter root directory";
}
inline std::string data_root_in_memory() {
  return "with a data root in memory";
}
inline std::string larger_data_root() {
  return "give the data root a larger size, or use a host directory";
}
inline std::string dockerd_arguments() {
  return "take it out of the further arguments for dockerd";
}
inline std::string raise_limits() {
  return "add CAP_SYS_RESOURCE to the sandbox's spec";
}
inline std::string pause_sandbox() {
  return "pause the whole sandbox instead";
}
inline std::string cgroup_sandbox() {
  return "take the cgroup mode `sandbox`, the default,";
}
inline std::string client_of_host() {
  return "on this host where its client is used";
}
inline std::string list_pools() {
  return "a list of the pools shows those there are";
}
inline std::string stop_pool(std::string_view about) {
  return "stop the pool " + std::string(about);
}

}  // namespace berth::hints

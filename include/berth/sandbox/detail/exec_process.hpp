// SPDX-License-Identifier: Apache-2.0
// What `runsc exec --process` reads: a command as an OCI process.
//
// Its arguments on runsc's own command line would be there for every user of the host to read, with the environment among
// them, and a command line has a limit. So they go in a file in memory, which ends with runsc and has no name.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/process/executor.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::detail {

/// The process that a container was started with. With a process file, runsc takes nothing from it but the capabilities
/// where the file has none; with arguments it takes all of this.
struct container_process {
  std::vector<std::string> env;
  std::string cwd = "/";
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;
  std::string capabilities;  ///< JSON, or empty
  bool no_new_privileges = false;

  /// Of a container's config.json. Pure. Errors: those of parsed_json; invalid where there is no process in it.
  BERTH_DECL static result<container_process> parse(std::string_view config);
  /// Of the config.json in a bundle. Errors: those of read_file too.
  BERTH_DECL static result<container_process> read(const std::string& bundle);
};

/// Who runs a command, where that is not who the container was started as.
struct exec_user {
  std::uint32_t uid = 0;
  std::optional<std::uint32_t> gid;
  std::vector<std::uint32_t> groups;
};

/// "uid[:gid]" in numbers. Pure. Errors: invalid.
BERTH_DECL result<exec_user> parse_exec_user(std::string_view user);

/// Whether a command can be handed to a sandbox at all, to its guest as well. Pure. `default_cwd`: where it starts if it does
/// not say. Errors: as exec_process_text.
BERTH_DECL result<void> check_exec_command(const command& what, const std::string& default_cwd = "/");

/// The process file's text. Pure. `terminal`: its three streams are one. Errors: invalid (no command, a relative cwd, a NUL;
/// what is not UTF-8, which runsc would replace), too_big (more than 8 MiB of arguments and variables).
BERTH_DECL result<std::string> exec_process_text(const container_process& container, const command& what,
                                                 const std::optional<exec_user>& user, bool terminal);

/// Whether the three streams that a command is to have are terminals of the host's.
BERTH_DECL bool is_on_terminal(const stdio_options& io);

/// The number that runsc has the file under, and its --process.
inline constexpr int process_file_fd = 3;
inline constexpr const char* process_file_path = "/proc/self/fd/3";

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/exec_process.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
// The process that the container starts with: arguments, working directory, user and flags.
#pragma once

#include <berth/spec/spec_builder.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace berth {

/// `/process`, but for its capabilities, environment and rlimits, which have sections of their own. A handle on a
/// builder, which must outlive it.
class spec_process {
 public:
  explicit spec_process(spec_builder& spec) noexcept : spec_(spec) {}

  BERTH_DECL result<void> set_args(const std::vector<std::string>& args);  ///< at least one: `invalid`
  BERTH_DECL result<void> add_arg(std::string_view arg);                   ///< behind those that are there, each time
  BERTH_DECL result<void> clear_args();
  BERTH_DECL std::vector<std::string> args() const;

  /// Whether there is a process to start, with at least one argument: runsc starts nothing without. Errors: invalid, with
  /// the pointer of what is missing.
  BERTH_DECL result<void> check_present() const;

  /// Absolute and not beneath /proc, after lexical cleaning: spec_path.
  BERTH_DECL result<void> set_cwd(std::string_view path);
  BERTH_DECL std::string cwd() const;

  BERTH_DECL result<void> set_user(std::uint32_t uid, std::uint32_t gid);
  BERTH_DECL result<void> add_group(std::uint32_t gid);     ///< an additional gid, unless it is there
  BERTH_DECL result<void> remove_group(std::uint32_t gid);  ///< from the additional gids
  BERTH_DECL result<void> clear_groups();

  BERTH_DECL result<void> set_terminal(bool on);
  BERTH_DECL result<void> set_no_new_privileges(bool on);
  BERTH_DECL bool no_new_privileges() const;
  BERTH_DECL result<void> set_oom_score_adj(int score);  ///< -1000 to 1000: spec_number
  BERTH_DECL result<void> clear_oom_score_adj();

  BERTH_DECL result<void> clear();  ///< takes the whole section away, capabilities and all

 private:
  spec_builder& spec_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/process.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
// One runsc binary on this machine: where it is, its release, and the options that it has.
#pragma once

#include <berth/base/result.hpp>
#include <berth/runsc/flags.hpp>
#include <berth/runsc/version.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// What a binary printed.
struct runsc_texts {
  std::string version;                      ///< `runsc --version`
  std::string flags;                        ///< `runsc flags`
  std::string verbs;                        ///< `runsc help`
  std::map<std::string, std::string> help;  ///< verb → `runsc help VERB`, for the verbs of runsc_probed_verbs()
};

/// The verbs whose options are asked for: those that have any which berth can emit.
BERTH_DECL const std::vector<std::string_view>& runsc_probed_verbs();

/// An immutable description of one binary. Cheap to copy, safe to share between threads.
class runsc_binary {
 public:
  /// From what a binary printed: for runsc_probe, tests, and those who keep the answers themselves. Errors: runsc_output.
  BERTH_DECL static result<runsc_binary> from_text(std::string path, const runsc_texts& texts);

  static constexpr std::string_view default_search_path =
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  const std::string& path() const noexcept { return data_->path; }  ///< absolute after probe()
  const runsc_version& version() const noexcept { return data_->version; }

  /// Whether it takes the global option and heeds it (a deprecated option without effect counts as lacking).
  BERTH_DECL bool has(std::string_view flag) const;
  /// Whether it has the verb (`checkpoint`), and the verb's option.
  BERTH_DECL bool has_verb(std::string_view verb) const;
  BERTH_DECL bool has(std::string_view verb, std::string_view flag) const;
  const std::vector<runsc_flag>& flags() const noexcept { return data_->flags; }

  /// The name under which it takes writes on packet sockets: "allow-packet-socket-write" (from 20251208.0), before that
  /// "TESTONLY-allow-packet-endpoint-write"; empty when it has neither.
  BERTH_DECL std::string_view packet_write_flag() const;

  /// Nothing when the option is there; else runsc_flag_unsupported with the release that this is and the one that brought
  /// the option. `verb` is empty for a global option.
  BERTH_DECL result<void> require(std::string_view verb, std::string_view flag) const;
  /// The option as this binary lists it, or nullptr. Valid as long as a copy of this object lives.
  BERTH_DECL const runsc_flag* find(std::string_view verb, std::string_view flag) const;
  /// The error of `require` for an option that is lacking, or not there in the form that is wanted.
  BERTH_DECL error lacking(std::string_view verb, std::string_view flag) const;

 private:
  struct data {
    std::string path;
    runsc_version version;
    std::vector<runsc_flag> flags;  // sorted by name
    std::map<std::string, std::vector<runsc_flag>, std::less<>> verbs;
  };
  explicit runsc_binary(std::shared_ptr<const data> d) noexcept : data_(std::move(d)) {}
  std::shared_ptr<const data> data_;
};

/// The absolute path of a program: `name` itself when it holds a slash, else its first executable regular file in
/// `search_path`. Errors: runsc_not_found, permission.
BERTH_DECL result<std::string> find_runsc(std::string_view name, std::string_view search_path);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/runsc/binary.ipp>
#endif

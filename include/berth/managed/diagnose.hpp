// SPDX-License-Identifier: Apache-2.0
// Why a sandbox, or Docker in it, is not as it should be: what can be read from outside, matched with what is known.
#pragma once

#include <berth/base/json_writer.hpp>
#include <berth/docker/diagnose.hpp>
#include <berth/managed/status.hpp>
#include <berth/runsc/diagnose.hpp>
#include <berth/sandbox/exit_reason.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace berth {

/// Something that is wrong, and what shows it.
struct finding {
  std::string
      id;  ///< stable: of diagnose_docker, or of docs/reference/managed.md; "BERTH-UNKNOWN" where nobody knows the cause
  std::string cause;      ///< one sentence
  std::string remedy;     ///< what to do; empty where nobody knows
  std::string reference;  ///< where it is discussed or described
  std::string
      evidence;  ///< the line that proves it, or several where the cause is not known; the sandbox's own words, made visible
  std::string
      source;  ///< where that line is: a file of the sandbox's directory, "record", "cgroup", "firewall", "versions"
};

/// All that a diagnosis goes by.
struct sandbox_evidence {
  sandbox_status status;
  exit_reason reason = exit_reason::none;
  std::uint64_t memory_kills = 0;
  diagnosis_context pair;         ///< of the root file system's Docker and the runsc
  bool docker_installed = true;   ///< there is a dockerd in the root file system
  std::vector<std::string> gaps;  ///< what does not work with this pair
  std::string daemon_log;         ///< the end of dockerd's lines
  std::string init_log;           ///< what runsc and the first process printed
  std::vector<runsc_log_file> runsc_logs;
};

/// The most telling first. Pure.
BERTH_DECL std::vector<finding> find_causes(const sandbox_evidence& evidence);

struct sandbox_diagnosis {
  sandbox_status status;
  std::vector<finding> findings;  ///< empty: nothing is known to be wrong
};

/// Reads what there is: status, logs, cgroup, the versions in the root file system. Changes nothing. The firewall's rules are
/// looked for by whoever may (sandbox_status::rules). Errors: not_found, once it was removed; damaged records give a finding.
BERTH_DECL boost::asio::awaitable<result<sandbox_diagnosis>> diagnose_sandbox(environment where, sandbox_record record,
                                                                              std::optional<bool> rules = std::nullopt);

/// {"id","state","ok","findings":[{"id","cause","remedy","reference","evidence","source"}]}
BERTH_DECL void write_json(json_writer& to, const sandbox_diagnosis& diagnosis);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/managed/diagnose.ipp>
#endif

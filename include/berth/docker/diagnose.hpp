// SPDX-License-Identifier: Apache-2.0
// Known ways in which Docker fails in gVisor: symptom, cause, remedy.
#pragma once

#include <berth/docker/versions.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// One row of the table of known failures. All text is static.
struct known_failure {
  std::string_view id;         ///< stable, for instance "BERTH-CGROUP-DEVICES"; documented in docs/reference/docker.md
  std::string_view cause;      ///< one sentence
  std::string_view remedy;     ///< what to do
  std::string_view reference;  ///< where it is discussed or fixed
  bool permanent = false;      ///< a dockerd that ended for it ends again however often it is started
};

/// A known failure and the line that showed it.
struct diagnosis {
  known_failure what;
  std::string evidence;  ///< the line of the text, at most 400 bytes
};

/// What is known of the versions; zero: not known. Some rows are true of some releases only.
struct diagnosis_context {
  docker_versions versions;
  std::uint32_t runsc_release = 0;  ///< 20260701
};

/// Looks for every known symptom in `text` (the output of dockerd, docker, runc or runsc): each row at most once, the
/// most telling first. Pure; linear in the text.
BERTH_DECL std::vector<diagnosis> diagnose_docker(std::string_view text, const diagnosis_context& context = {});

/// The whole table, for documents and `berth doctor`.
BERTH_DECL std::vector<known_failure> known_docker_failures();

/// One row by id, or one with an empty id.
BERTH_DECL known_failure find_docker_failure(std::string_view id);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/docker/diagnose.ipp>
#endif

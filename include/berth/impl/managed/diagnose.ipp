// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/hints.hpp>
#include <berth/base/visible_text.hpp>
#include <berth/docker/plan.hpp>
#include <berth/managed/diagnose.hpp>
#include <berth/sandbox/find_runsc.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <algorithm>
#include <utility>

namespace berth {
namespace detail {

class finding_list {
 public:
  void add(finding one) {
    const auto same = [&one](const finding& other) { return other.id == one.id && one.id != "BERTH-UNKNOWN"; };
    if (std::none_of(all_.begin(), all_.end(), same)) all_.push_back(std::move(one));
  }
  void add_known(std::string_view text, const diagnosis_context& pair, const std::string& source) {
    for (const diagnosis& known : diagnose_docker(text, pair))
      add({std::string(known.what.id), std::string(known.what.cause), std::string(known.what.remedy),
           std::string(known.what.reference), known.evidence, source});
  }
  bool empty() const { return all_.empty(); }
  std::vector<finding> take() { return std::move(all_); }

 private:
  std::vector<finding> all_;
};

/// The last lines of a text that a sandbox wrote.
inline std::string last_lines(std::string_view text, std::size_t count) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  std::size_t begin = text.size();
  for (std::size_t lines = 0; begin > 0 && lines < count; ++lines) {
    const std::size_t at = text.rfind('\n', begin - 1);
    begin = at == std::string_view::npos ? 0 : at;
  }
  std::string out;
  append_shown(out, text.substr(begin == 0 ? 0 : begin + 1));
  return out.substr(0, 4000);
}

}  // namespace detail

BERTH_DECL std::vector<finding> find_causes(const sandbox_evidence& e) {
  constexpr const char* page = "docs/reference/managed.md#why-it-is-not-as-it-should-be";
  const sandbox_record& record = e.status.record;
  detail::finding_list found;
  if (record.damaged) {
    found.add({"BERTH-RECORD-DAMAGED", "the sandbox's record cannot be read", hints::remove_sandbox(record.id), page,
               record.damage, "record.json"});
    return found.take();
  }
  const std::string& state = e.status.state;
  const bool is_over = state == "stopped" || state == "lost";
  if (state == "lost")
    found.add({"BERTH-LOST", "the sandbox is of an earlier boot of this host, or its creation broke off",
               "make it anew; to have this one removed, " + hints::collect_garbage(), page, "boot " + record.boot_id,
               "record"});
  if (e.reason == exit_reason::out_of_memory || e.memory_kills > 0)
    found.add(
        {"BERTH-MEMORY",
         is_over ? "the sandbox was killed at its memory limit"
                 : "programs of the sandbox were killed at its memory limit",
         "give it more memory; images on the default data root take memory too", page,
         std::to_string(e.memory_kills) + " killed, at a limit of " + std::to_string(record.memory_bytes) + " bytes",
         "cgroup"});
  if (e.status.rules == false)
    found.add({"BERTH-RULES-GONE", "the firewall rules that isolate the sandbox are gone: nothing is enforced",
               "another program flushed them: remove the sandbox, and let that program flush tables of its own only",
               "docs/reference/network.md", "nft table " + record.names().table, "firewall"});
  if (state == "unresponsive")
    found.add({"BERTH-UNRESPONSIVE", "the sandbox's process is there and does not answer",
               "see what the host is short of (CPU, memory, disk), or " + hints::remove_by_force(record.id), page,
               "process " + std::to_string(record.sandbox_process.pid), "record"});

  const daemon_status docker = e.status.docker();
  if (e.status.wants_docker() && !e.docker_installed)
    found.add({"BERTH-NO-DOCKERD", "the root file system has no dockerd",
               "install Docker in it (Debian: docker.io, iptables, iproute2)", page, record.rootfs, "rootfs"});
  if (docker.failure) found.add_known(docker.failure->reason + "\n" + docker.failure->tail, e.pair, "status.json");
  found.add_known(e.daemon_log, e.pair, std::string(sandbox_record::daemon_log_name));
  if (is_over) {
    found.add_known(e.init_log, e.pair, "logs/init.log");
    // What runsc says as any sandbox ends is no cause where one is known.
    const runsc_diagnosis said = diagnose_runsc(e.runsc_logs, e.init_log);
    if (!said.cause.empty() && found.empty())
      found.add({said.hint.empty() ? "BERTH-UNKNOWN" : "BERTH-RUNSC", "runsc reports: " + said.cause, said.hint, page,
                 said.lines.empty() ? said.cause : said.lines.front(), "logs/runsc/" + said.file});
  }
  const bool unexplained = docker.failure && found.empty();
  for (const std::string& gap : e.gaps)
    found.add({"BERTH-PAIR", gap, "docs/matrix.md has what works on which pair", "docs/matrix.md",
               "Docker " + e.pair.versions.docker.to_string() + " on runsc " + std::to_string(e.pair.runsc_release),
               "versions"});
  if (unexplained)
    found.add({"BERTH-UNKNOWN",
               docker.failure->to_error().message,
               {},
               page,
               detail::last_lines(docker.failure->tail.empty() ? e.daemon_log : docker.failure->tail, 10),
               std::string(sandbox_record::daemon_log_name)});
  return found.take();
}

BERTH_DECL boost::asio::awaitable<result<sandbox_diagnosis>> diagnose_sandbox(environment where, sandbox_record record,
                                                                              std::optional<bool> rules) {
  constexpr std::size_t most_text = 512 * 1024;
  sandbox_evidence evidence;
  auto looking = look_at(where, std::move(record));
  auto status = co_await std::move(looking);
  if (!status) co_return std::move(status).error();
  evidence.status = std::move(*status);
  evidence.status.rules = rules;
  const sandbox_record& now = evidence.status.record;
  if (!now.damaged) {
    evidence.reason = find_exit_reason(now);
    evidence.memory_kills = count_memory_kills(now);
    if (auto box = sandbox::attach(where, now.id)) {
      if (auto text = (*box)->logs(sandbox_log::daemon, most_text)) evidence.daemon_log = std::move(*text);
      if (auto text = (*box)->logs(sandbox_log::init, most_text)) evidence.init_log = std::move(*text);
      if (auto binary = (*box)->runsc()) evidence.pair.runsc_release = binary->version().date;
    }
    if (auto files = read_runsc_logs(now.runsc_logs())) evidence.runsc_logs = std::move(*files);
    if (auto present = has_dockerd(now.rootfs)) evidence.docker_installed = *present;
    auto versions = read_docker_versions(now.rootfs);
    if (versions && evidence.status.wants_docker()) {
      evidence.pair.versions = *versions;
      docker_plan_options pair;
      pair.versions = *versions;
      pair.runsc_release = evidence.pair.runsc_release;
      if (auto plan = plan_docker(pair)) evidence.gaps = plan->gaps;
      else evidence.gaps.push_back(plan.error().message);
    }
  }
  sandbox_diagnosis out;
  out.findings = find_causes(evidence);
  out.status = std::move(evidence.status);
  co_return out;
}

BERTH_DECL void write_json(json_writer& to, const sandbox_diagnosis& diagnosis) {
  to.open_object().key("id").string(diagnosis.status.record.id).key("state").string(diagnosis.status.state);
  to.key("ok").boolean(diagnosis.findings.empty()).key("findings").open_array();
  for (const finding& one : diagnosis.findings) {
    to.open_object().key("id").string(one.id).key("cause").string(one.cause).key("remedy").string(one.remedy);
    to.key("reference").string(one.reference).key("evidence").string(one.evidence);
    to.key("source").string(one.source).close_object();
  }
  to.close_array().close_object();
}

}  // namespace berth

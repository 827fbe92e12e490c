// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/runsc/state.hpp>
#include <berth/spec/json.hpp>

#include <limits>

namespace berth {
namespace detail {

inline error runsc_output_error(std::string message, std::string path = {}) {
  return make_error(errc::runsc_output, "runsc", std::move(message), std::move(path),
                    "check that the program is gVisor's runsc, and whether it ended in the middle of its output");
}

/// Parses, hands the value to `read`, and turns what the JSON reader says into the runsc layer's words.
template <class T, class Read>
result<T> read_runsc_json(std::string_view json, std::string_view what, Read read) {
  auto parsed = parsed_json::parse(json);
  if (parsed) return read(parsed->root());
  error why = std::move(parsed).error();
  if (why.code == errc::no_memory || why.code == errc::internal) return why;
  return runsc_output_error("cannot read what " + std::string(what) + " printed: " + why.message, why.path);
}

inline result<std::string> member_text(json_view object, std::string_view key, bool required) {
  const json_view v = object[key];
  if (!v) {
    if (required) return runsc_output_error("a member is missing", "/" + std::string(key));
    return std::string();
  }
  const auto text = v.text();
  if (!text) return runsc_output_error("a member is no string", "/" + std::string(key));
  return std::string(*text);
}

template <class Number>
result<Number> json_number(json_view v, const std::string& path) {
  if (const auto n = v.number<Number>()) return *n;
  return runsc_output_error("a member is no whole number in range", path);
}

inline runsc_status runsc_status_of(std::string_view text) {
  for (runsc_status s : {runsc_status::creating, runsc_status::created, runsc_status::running, runsc_status::paused,
                         runsc_status::stopped})
    if (text == runsc_status_name(s)) return s;
  return runsc_status::unknown;
}

inline result<runsc_state> read_runsc_state(json_view v) {
  if (!v.is_object()) return runsc_output_error("a container's state is no JSON object");
  runsc_state state;
  auto version = member_text(v, "ociVersion", false);
  if (!version) return std::move(version).error();
  state.oci_version = *std::move(version);
  auto id = member_text(v, "id", true);
  if (!id) return std::move(id).error();
  state.id = *std::move(id);
  auto status = member_text(v, "status", true);
  if (!status) return std::move(status).error();
  state.status_text = *std::move(status);
  state.status = runsc_status_of(state.status_text);
  auto bundle = member_text(v, "bundle", false);
  if (!bundle) return std::move(bundle).error();
  state.bundle = *std::move(bundle);
  if (const json_view pid = v["pid"]) {
    auto n = json_number<std::int64_t>(pid, "/pid");
    if (!n) return std::move(n).error();
    // gVisor gives -1 where there is no process.
    state.pid = *n < 0 ? 0 : *n;
  }
  if (const json_view annotations = v["annotations"]) {
    if (!annotations.is_object()) return runsc_output_error("a member is no object", "/annotations");
    for (std::size_t i = 0; i < annotations.size(); ++i) {
      const auto value = annotations.at(i).text();
      const std::string_view name = annotations.name(i);
      if (!value) return runsc_output_error("an annotation is no string", "/annotations/" + std::string(name));
      state.annotations.emplace_back(name, *value);
    }
  }
  return state;
}

/// The number at the end of a path of members, absent where a part of it is.
inline result<void> optional_number(json_view v, std::initializer_list<std::string_view> path,
                                    std::optional<std::uint64_t>& out) {
  std::string pointer;
  for (std::string_view key : path) {
    v = v[key];
    if (!v) return {};
    pointer.append("/").append(key);
  }
  auto n = json_number<std::uint64_t>(v, pointer);
  if (!n) return std::move(n).error();
  out = *n;
  return {};
}

}  // namespace detail

BERTH_DECL std::string_view runsc_status_name(runsc_status status) noexcept {
  switch (status) {
    case runsc_status::unknown: return "unknown";
    case runsc_status::creating: return "creating";
    case runsc_status::created: return "created";
    case runsc_status::running: return "running";
    case runsc_status::paused: return "paused";
    case runsc_status::stopped: return "stopped";
  }
  return "unknown";
}

BERTH_DECL result<runsc_state> parse_runsc_state(std::string_view json) {
  return detail::read_runsc_json<runsc_state>(json, "`runsc state`", detail::read_runsc_state);
}

BERTH_DECL result<std::vector<runsc_state>> parse_runsc_list(std::string_view json) {
  const auto read = [](json_view v) -> result<std::vector<runsc_state>> {
    std::vector<runsc_state> states;
    if (v.type() == json_view::kind::null) return states;
    if (!v.is_array()) return detail::runsc_output_error("a list of containers is no JSON array");
    for (std::size_t i = 0; i < v.size(); ++i) {
      auto state = detail::read_runsc_state(v.at(i));
      if (!state) return std::move(state).error();
      states.push_back(*std::move(state));
    }
    return states;
  };
  return detail::read_runsc_json<std::vector<runsc_state>>(json, "`runsc list`", read);
}

BERTH_DECL result<std::vector<std::int32_t>> parse_runsc_ps(std::string_view json) {
  const auto read = [](json_view v) -> result<std::vector<std::int32_t>> {
    std::vector<std::int32_t> pids;
    if (v.type() == json_view::kind::null) return pids;
    if (!v.is_array()) return detail::runsc_output_error("a list of processes is no JSON array");
    for (std::size_t i = 0; i < v.size(); ++i) {
      auto pid = detail::json_number<std::int32_t>(v.at(i), "/" + std::to_string(pids.size()));
      if (!pid) return std::move(pid).error();
      pids.push_back(*pid);
    }
    return pids;
  };
  return detail::read_runsc_json<std::vector<std::int32_t>>(json, "`runsc ps`", read);
}

BERTH_DECL result<runsc_stats> parse_runsc_stats(std::string_view json) {
  const auto read = [](json_view v) -> result<runsc_stats> {
    if (!v.is_object()) return detail::runsc_output_error("an event is no JSON object");
    runsc_stats stats;
    auto id = detail::member_text(v, "id", true);
    if (!id) return std::move(id).error();
    stats.id = *std::move(id);
    auto type = detail::member_text(v, "type", true);
    if (!type) return std::move(type).error();
    stats.type = *std::move(type);
    BERTH_TRY(detail::optional_number(v, {"data", "cpu", "usage", "total"}, stats.cpu_total_ns));
    BERTH_TRY(detail::optional_number(v, {"data", "memory", "usage", "usage"}, stats.memory_usage_bytes));
    BERTH_TRY(detail::optional_number(v, {"data", "memory", "usage", "limit"}, stats.memory_limit_bytes));
    BERTH_TRY(detail::optional_number(v, {"data", "pids", "current"}, stats.pids_current));
    return stats;
  };
  return detail::read_runsc_json<runsc_stats>(json, "`runsc events`", read);
}

BERTH_DECL result<runsc_wait_result> parse_runsc_wait(std::string_view json) {
  const auto read = [](json_view v) -> result<runsc_wait_result> {
    if (!v.is_object()) return detail::runsc_output_error("a wait's result is no JSON object");
    runsc_wait_result ended;
    auto id = detail::member_text(v, "id", true);
    if (!id) return std::move(id).error();
    ended.id = *std::move(id);
    const json_view status = v["exitStatus"];
    if (!status) return detail::runsc_output_error("a member is missing", "/exitStatus");
    auto n = detail::json_number<std::int32_t>(status, "/exitStatus");
    if (!n) return std::move(n).error();
    ended.exit_status = *n;
    return ended;
  };
  return detail::read_runsc_json<runsc_wait_result>(json, "`runsc wait`", read);
}

}  // namespace berth

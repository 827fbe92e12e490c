// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/error.hpp>

#include <cerrno>
#include <cstring>

namespace berth {

BERTH_DECL std::string_view errc_name(errc code) noexcept {
  switch (code) {
    case errc::ok: return "ok";
    case errc::invalid: return "invalid";
    case errc::no_memory: return "no_memory";
    case errc::internal: return "internal";
    case errc::state: return "state";
    case errc::closed: return "closed";
    case errc::cancelled: return "cancelled";
    case errc::timeout: return "timeout";
    case errc::again: return "again";
    case errc::unsupported: return "unsupported";
    case errc::forked: return "forked";
    case errc::too_big: return "too_big";
    case errc::not_found: return "not_found";
    case errc::exists: return "exists";
    case errc::permission: return "permission";
    case errc::io: return "io";
    case errc::spec_syntax: return "spec_syntax";
    case errc::spec_duplicate_key: return "spec_duplicate_key";
    case errc::spec_key_case: return "spec_key_case";
    case errc::spec_type: return "spec_type";
    case errc::spec_too_deep: return "spec_too_deep";
    case errc::spec_too_large: return "spec_too_large";
    case errc::spec_path: return "spec_path";
    case errc::spec_capability: return "spec_capability";
    case errc::spec_id: return "spec_id";
    case errc::spec_nul: return "spec_nul";
    case errc::spec_number: return "spec_number";
    case errc::runsc_not_found: return "runsc_not_found";
    case errc::runsc_flag_unsupported: return "runsc_flag_unsupported";
    case errc::runsc_failed: return "runsc_failed";
    case errc::runsc_output: return "runsc_output";
    case errc::spawn_failed: return "spawn_failed";
    case errc::process_exited: return "process_exited";
    case errc::network_failed: return "network_failed";
    case errc::mount_failed: return "mount_failed";
    case errc::sandbox_not_running: return "sandbox_not_running";
    case errc::record_damaged: return "record_damaged";
    case errc::hostile: return "hostile";
    case errc::daemon_not_present: return "daemon_not_present";
    case errc::daemon_failed: return "daemon_failed";
    case errc::daemon_not_ready: return "daemon_not_ready";
    case errc::docker_failed: return "docker_failed";
    case errc::probe_failed: return "probe_failed";
  }
  return "unknown";
}

BERTH_DECL std::string error::to_string() const {
  std::string out = layer.empty() ? message : layer + ": " + message;
  if (!path.empty()) out += " (" + path + ")";
  if (sys_errno != 0) {
    char text[128];
    out += ": ";
    out += ::strerror_r(sys_errno, text, sizeof text);  // GNU form: the text is what it returns
  }
  if (!hint.empty()) out += "; " + hint;
  if (!detail.empty()) out += "\n" + detail;
  return out;
}

BERTH_DECL error make_error(errc code, std::string_view layer, std::string message, std::string path,
                            std::string hint) {
  error e;
  e.code = code;
  e.layer = layer;
  e.message = std::move(message);
  e.path = std::move(path);
  e.hint = std::move(hint);
  return e;
}

BERTH_DECL error errno_error(int err, std::string_view layer, std::string message, std::string path, std::string hint) {
  errc code = errc::io;
  switch (err) {
    case ENOENT: code = errc::not_found; break;
    case EEXIST: code = errc::exists; break;
    case EACCES:
    case EPERM: code = errc::permission; break;
    case ENOMEM: code = errc::no_memory; break;
    default: break;
  }
  error e = make_error(code, layer, std::move(message), std::move(path), std::move(hint));
  e.sys_errno = err;
  return e;
}

BERTH_DECL bool lacks_resources(const error& e) noexcept {
  return e.sys_errno == EMFILE || e.sys_errno == ENFILE || e.sys_errno == ENOMEM || e.code == errc::no_memory;
}

}  // namespace berth

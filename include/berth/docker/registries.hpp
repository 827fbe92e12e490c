// SPDX-License-Identifier: Apache-2.0
// What Docker in a sandbox of berth's own is told of registries: mirrors, certificates, and credentials that were asked for.
#pragma once

#include <berth/base/result.hpp>

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth {

struct docker_registries {
  std::vector<std::string> mirrors;  ///< of docker.io: "http://HOST[:PORT]" or "https://…"
  std::vector<std::string>
      insecure;  ///< "HOST[:PORT]", or a network: without TLS, or with a certificate that nobody signed
  /// "HOST[:PORT]", a mirror's too, and the file of this host with the certificates (PEM) that sign the registry's.
  std::vector<std::pair<std::string, std::string>> certificates;
  /// "HOST[:PORT]" or "docker.io": whose credentials go in, and no others.
  std::vector<std::string> logins;
  /// Where they are: a config.json as `docker login` writes it, absolute; empty: $DOCKER_CONFIG/config.json, else
  /// .docker/config.json in $HOME.
  std::string login_file;
};

/// Whether it can be meant; no file is looked at. Pure. Errors: invalid, with the value in the message, which is no secret, and
/// the field in the path.
BERTH_DECL result<void> check_registries(const docker_registries& registries);

/// dockerd's arguments. Pure.
BERTH_DECL std::vector<std::string> registry_arguments(const docker_registries& registries);

/// A file for a sandbox.
struct docker_file {
  std::string path;  ///< inside
  std::string content;
  mode_t mode = 0644;
};

/// Where root's Docker client has its credentials.
inline constexpr std::string_view docker_login_path = "/root/.docker/config.json";

/// The config.json for the inside: `image`, what the image has there (empty: none), with the entries for `registries` out of `host`
/// beside it. What the image has stays as it is. Pure. No error holds anything of either text but names of registries and of
/// programs. Errors: invalid (no JSON object; the path says whose), not_found (`host` has nothing for a registry), unsupported (a
/// program keeps the credentials: what to do instead is in the hint), exists (the image has others for the registry).
BERTH_DECL result<std::string> select_logins(std::string_view host, const std::vector<std::string>& registries,
                                             std::string_view image);

/// The files for a sandbox with this root file system: certificates, credentials. Errors: as check_registries and select_logins;
/// errno's of the host's files; invalid (a file without a certificate in it).
BERTH_DECL result<std::vector<docker_file>> read_registry_files(const docker_registries& registries,
                                                                const std::string& rootfs);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/docker/registries.ipp>
#endif

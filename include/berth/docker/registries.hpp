// SPDX-License-Identifier: Apache-2.0
// What Docker in a sandbox of berth's own is told of registries: mirrors, certificates, and credentials that were asked for.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>

#include <boost/asio/awaitable.hpp>

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

/// Credentials for a registry, or who keeps them.
struct registry_login {
  std::string registry;  ///< as it was named
  std::string server;    ///< its login_server
  std::string entry;     ///< of "auths": a JSON object; empty where a program keeps them
  std::string helper;    ///< the NAME of this docker-credential-NAME, which is to be asked
};

/// Where `host`, a config.json, has the credentials for each of `registries`: in "credHelpers", else "credsStore", else "auths", as
/// Docker's client looks; two names of one registry are one. Pure. No error holds anything of the text but names of registries.
/// Errors: invalid (no JSON object), not_found (it has nothing for a registry).
BERTH_DECL result<std::vector<registry_login>> find_logins(std::string_view host,
                                                           const std::vector<std::string>& registries);

/// The config.json for the inside: `image`, what the image has there (empty: none), with the entries of `logins` beside it. What the
/// image has stays as it is. Pure. No error holds anything of either text but names of registries and of programs.
/// Errors: invalid (`image`, or an entry, is no JSON object), unsupported (the image names a program that keeps the credentials),
/// exists (the image has others for the registry).
BERTH_DECL result<std::string> add_logins(const std::vector<registry_login>& logins, std::string_view image);

/// The files for a sandbox with this root file system: certificates, credentials, for which the programs that keep them are asked,
/// each for 30 s at most. Errors: as check_registries, find_logins, ask_login_helper and add_logins; errno's of the host's
/// files; invalid (a file without a certificate in it). Not while another thread changes the environment.
BERTH_DECL boost::asio::awaitable<result<std::vector<docker_file>>> read_registry_files(docker_registries registries,
                                                                                        std::string rootfs,
                                                                                        time_point deadline);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/docker/registries.ipp>
#endif

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/json_writer.hpp>
#include <berth/base/rooted.hpp>
#include <berth/base/text.hpp>
#include <berth/docker/registries.hpp>
#include <berth/spec/json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>

namespace berth {
namespace detail {

inline constexpr std::size_t most_registry_file_bytes = std::size_t{1} << 20;
inline constexpr std::string_view docker_hub_login = "https://index.docker.io/v1/";

inline error bad_registry(std::string_view field, std::string_view value, std::string_view why, std::string_view hint) {
  // A URL with a password in it is refused, and not shown.
  const bool secret = value.find('@') != std::string_view::npos;
  return make_error(errc::invalid, "docker",
                    (secret ? std::string("a registry with credentials in its name")
                            : "the registry '" + std::string(value.substr(0, 128)) + "'") +
                        " " + std::string(why),
                    std::string(field), std::string(hint));
}

/// "HOST[:PORT]"; a name, or an IPv4 address.
inline bool is_registry_host(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view host = text.substr(0, colon);
  if (colon != std::string_view::npos && parse_number<std::uint16_t>(text.substr(colon + 1)).value_or(0) == 0)
    return false;
  return !host.empty() && host.size() <= 253 && host.front() != '-' && host.front() != '.' &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

inline bool is_registry_network(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '/'; }) &&
         std::count(text.begin(), text.end(), '/') == 1;
}

/// What Docker's client calls a registry where it keeps credentials.
inline std::string login_name(std::string_view registry) {
  for (const std::string_view scheme : {"https://", "http://"})
    if (registry.starts_with(scheme)) registry.remove_prefix(scheme.size());
  const std::string host(registry.substr(0, registry.find('/')));
  return host == "docker.io" || host == "index.docker.io" || host == "registry-1.docker.io"
             ? std::string(docker_hub_login)
             : host;
}

inline result<parsed_json> parse_login_file(std::string_view text, const char* whose) {
  auto parsed = parsed_json::parse(text);
  // The parser's own words may quote what is there.
  if (!parsed || !parsed->root().is_object())
    return make_error(errc::invalid, "docker",
                      std::string("the Docker client's configuration of ") + whose + " is no JSON object", whose,
                      "it is what `docker login` writes: config.json");
  return parsed;
}

/// The entry for a registry in "auths", by whichever of its names.
inline json_view find_login(const json_view& config, const std::string& name) {
  const json_view logins = config["auths"];
  for (std::size_t i = 0; logins.is_object() && i < logins.size(); ++i)
    if (login_name(logins.name(i)) == name && logins.at(i).is_object()) return logins.at(i);
  return {};
}

inline bool has_credentials(const json_view& login) {
  for (const char* key : {"auth", "identitytoken", "registrytoken", "password"})
    if (const auto text = login[key].text(); text && !text->empty()) return true;
  return false;
}

/// The program that keeps a registry's credentials, by its name without "docker-credential-"; empty: none.
inline std::string find_login_helper(const json_view& config, const std::string& name) {
  const json_view helpers = config["credHelpers"];
  for (std::size_t i = 0; helpers.is_object() && i < helpers.size(); ++i)
    if (login_name(helpers.name(i)) == name) return std::string(helpers.at(i).text().value_or(""));
  return std::string(config["credsStore"].text().value_or(""));
}

inline result<json_view> select_login(const json_view& config, const std::string& registry) {
  const std::string name = login_name(registry);
  const json_view found = find_login(config, name);
  if (found && has_credentials(found)) return found;
  if (const std::string helper = find_login_helper(config, name); !helper.empty())
    return make_error(errc::unsupported, "docker",
                      "the credentials for " + registry + " are kept by docker-credential-" + helper.substr(0, 64) +
                          ", which berth does not run",
                      registry,
                      "write them to a file of their own: `docker --config DIR login " + registry +
                          "` with a DIR that has no config.json, and name DIR/config.json");
  return make_error(errc::not_found, "docker", "there are no credentials for " + registry, registry,
                    "`docker login " + registry + "` first, or name the file that has them");
}

inline std::string default_login_file() {
  if (const char* directory = std::getenv("DOCKER_CONFIG"); directory != nullptr && *directory != '\0')
    return std::string(directory) + "/config.json";
  const char* home = std::getenv("HOME");
  return (home != nullptr && *home != '\0' ? std::string(home) : std::string("/root")) + "/.docker/config.json";
}

inline result<docker_file> read_registry_certificates(const std::string& registry, const std::string& file) {
  std::string text;
  if (const int failed = try_read_system_file(file, text, most_registry_file_bytes); failed != 0)
    return errno_error(failed, "docker", "cannot read the certificate of " + registry, file);
  if (text.find("-----BEGIN CERTIFICATE-----") == std::string::npos ||
      text.find("-----END CERTIFICATE-----") == std::string::npos)
    return make_error(errc::invalid, "docker", "no certificate is in the file for " + registry, file,
                      "a file in PEM is wanted, which begins with -----BEGIN CERTIFICATE-----");
  if (text.find("PRIVATE KEY-----") != std::string::npos)
    return make_error(errc::invalid, "docker", "a private key is in the file with the certificate of " + registry, file,
                      "give a file with the certificate alone: everything inside the sandbox can read it");
  return docker_file{"/etc/docker/certs.d/" + registry + "/ca.crt", std::move(text), 0644};
}

}  // namespace detail

BERTH_DECL result<void> check_registries(const docker_registries& what) {
  using detail::bad_registry, detail::is_registry_host;
  for (const std::string& mirror : what.mirrors) {
    std::string_view host = mirror;
    if (host.starts_with("https://")) host.remove_prefix(8);
    else if (host.starts_with("http://")) host.remove_prefix(7);
    else host = {};
    if (host.ends_with('/')) host.remove_suffix(1);
    if (!is_registry_host(host))
      return bad_registry("registry_mirrors", mirror, "is no mirror",
                          "write http://HOST[:PORT] or https://HOST[:PORT]");
  }
  for (const std::string& one : what.insecure)
    if (!is_registry_host(one) && !detail::is_registry_network(one))
      return bad_registry("insecure_registries", one, "is neither HOST[:PORT] nor a network",
                          "write it as 192.0.2.7:5000");
  for (const auto& [registry, file] : what.certificates) {
    if (!is_registry_host(registry))
      return bad_registry("registry_cas", registry, "is not HOST[:PORT]",
                          "write it as in an image's name: 192.0.2.7:5000");
    if (file.empty() || file.front() != '/' || file.find('\0') != std::string::npos)
      return make_error(errc::invalid, "docker",
                        "the file with the certificate of " + registry + " is no absolute path", "registry_cas");
  }
  for (const std::string& one : what.logins)
    if (!is_registry_host(one))
      return bad_registry("registry_auth", one, "is not HOST[:PORT]", "write it as in an image's name, or docker.io");
  if (!what.login_file.empty() && (what.login_file.front() != '/' || what.login_file.find('\0') != std::string::npos))
    return make_error(errc::invalid, "docker", "the file with credentials is no absolute path", "registry_auth_file");
  if (!what.login_file.empty() && what.logins.empty())
    return make_error(errc::invalid, "docker", "a file with credentials, and no registry is named of which they go in",
                      "registry_auth", "name each registry: no others are taken out of the file");
  return {};
}

BERTH_DECL std::vector<std::string> registry_arguments(const docker_registries& what) {
  std::vector<std::string> out;
  for (const std::string& mirror : what.mirrors) {
    out.push_back("--registry-mirror=" + mirror);
    // Pulls go by the mirror's scheme. BuildKit drops it and asks for TLS of every registry that is not called insecure; before
    // Docker 23 "insecure" means no TLS only where http:// stands before it.
    if (mirror.starts_with("http://"))
      out.push_back("--insecure-registry=" + mirror.substr(0, mirror.find('/', std::string_view("http://").size())));
  }
  for (const std::string& one : what.insecure) out.push_back("--insecure-registry=" + one);
  return out;
}

BERTH_DECL result<std::string> select_logins(std::string_view host, const std::vector<std::string>& registries,
                                             std::string_view image) {
  auto ours = detail::parse_login_file(host, "this host");
  if (!ours) return std::move(ours).error();
  auto theirs = detail::parse_login_file(image.empty() ? std::string_view("{}") : image, "the image");
  if (!theirs) return std::move(theirs).error();
  const json_view there = theirs->root();

  std::vector<std::pair<std::string, json_view>> added;
  for (const std::string& registry : registries) {
    const std::string name = detail::login_name(registry);
    if (std::any_of(added.begin(), added.end(), [&](const auto& one) { return one.first == name; })) continue;
    auto login = detail::select_login(ours->root(), registry);
    if (!login) return std::move(login).error();
    if (const std::string helper = detail::find_login_helper(there, name); !helper.empty())
      return make_error(errc::unsupported, "docker",
                        "in the image docker-credential-" + helper.substr(0, 64) +
                            " keeps credentials, so that its client looks at no others for " + registry,
                        std::string(docker_login_path),
                        "take credsStore and credHelpers out of that file of the image");
    const json_view own = detail::find_login(there, name);
    if (own && own.to_json() != login->to_json())
      return make_error(errc::exists, "docker", "the image has credentials of its own for " + registry,
                        std::string(docker_login_path), "take them out of the image, or do not name this registry");
    if (!own) added.emplace_back(name, *login);
  }

  json_writer out(2);
  out.open_object();
  for (std::size_t i = 0; i < there.size(); ++i)
    if (there.name(i) != "auths") out.key(there.name(i)).raw(there.at(i).to_json());
  out.key("auths").open_object();
  const json_view before = there["auths"];
  for (std::size_t i = 0; before.is_object() && i < before.size(); ++i)
    out.key(before.name(i)).raw(before.at(i).to_json());
  for (const auto& [name, login] : added) out.key(name).raw(login.to_json());
  out.close_object().close_object();
  return out.take() + '\n';
}

BERTH_DECL result<std::vector<docker_file>> read_registry_files(const docker_registries& what,
                                                                const std::string& rootfs) {
  BERTH_TRY(check_registries(what));
  std::vector<docker_file> out;
  for (const auto& [registry, file] : what.certificates) {
    auto read = detail::read_registry_certificates(registry, file);
    if (!read) return std::move(read).error();
    out.push_back(std::move(*read));
  }
  if (what.logins.empty()) return out;
  const std::string file = what.login_file.empty() ? detail::default_login_file() : what.login_file;
  std::string ours;
  if (const int failed = try_read_system_file(file, ours, detail::most_registry_file_bytes); failed != 0)
    return errno_error(failed, "docker", "cannot read the credentials for " + what.logins.front(), file,
                       "`docker login` writes this file; name another one where they are elsewhere");
  auto root = rooted::open(rootfs, "docker");
  if (!root) return std::move(root).error();
  auto theirs = root->read(std::string(docker_login_path), detail::most_registry_file_bytes, "docker");
  if (!theirs) return std::move(theirs).error();
  auto selected = select_logins(ours, what.logins, *theirs);
  if (!selected) return std::move(selected).error();
  out.push_back({std::string(docker_login_path), std::move(*selected), 0600});
  return out;
}

}  // namespace berth

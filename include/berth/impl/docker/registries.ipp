// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/json_writer.hpp>
#include <berth/base/rooted.hpp>
#include <berth/base/text.hpp>
#include <berth/base/visible_text.hpp>
#include <berth/docker/login_helper.hpp>
#include <berth/docker/registries.hpp>
#include <berth/spec/json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>

namespace berth {
namespace detail {

inline constexpr std::size_t most_registry_file_bytes = std::size_t{1} << 20;
inline constexpr duration login_helper_patience = seconds(30);

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
    if (login_server(logins.name(i)) == name && logins.at(i).is_object()) return logins.at(i);
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
    if (login_server(helpers.name(i)) == name) return std::string(helpers.at(i).text().value_or(""));
  return std::string(config["credsStore"].text().value_or(""));
}

/// A helper's name out of an image, which may be anything.
inline std::string shown_helper(const std::string& name) {
  std::string out = "docker-credential-";
  append_shown(out, std::string_view(name).substr(0, 64));
  return out;
}

inline result<registry_login> find_login_of(const json_view& config, const std::string& registry) {
  registry_login out{registry, login_server(registry), {}, {}};
  out.helper = find_login_helper(config, out.server);
  if (!out.helper.empty()) return out;
  const json_view found = find_login(config, out.server);
  if (!found || !has_credentials(found))
    return make_error(errc::not_found, "docker", "there are no credentials for " + registry, registry,
                      "`docker login " + registry + "` first, or name the file that has them");
  out.entry = found.to_json();
  return out;
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

BERTH_DECL result<std::vector<registry_login>> find_logins(std::string_view host,
                                                           const std::vector<std::string>& registries) {
  auto config = detail::parse_login_file(host, "this host");
  if (!config) return std::move(config).error();
  std::vector<registry_login> out;
  for (const std::string& registry : registries) {
    const std::string server = login_server(registry);
    if (std::any_of(out.begin(), out.end(), [&](const registry_login& one) { return one.server == server; })) continue;
    auto found = detail::find_login_of(config->root(), registry);
    if (!found) return std::move(found).error();
    out.push_back(std::move(*found));
  }
  return out;
}

BERTH_DECL result<std::string> add_logins(const std::vector<registry_login>& logins, std::string_view image) {
  auto theirs = detail::parse_login_file(image.empty() ? std::string_view("{}") : image, "the image");
  if (!theirs) return std::move(theirs).error();
  const json_view there = theirs->root();

  std::vector<std::pair<std::string_view, std::string>> added;
  for (const registry_login& login : logins) {
    const auto entry = parsed_json::parse(login.entry);
    if (!entry || !entry->root().is_object())
      return make_error(errc::invalid, "docker",
                        "the entry with the credentials for " + login.registry + " is no JSON object", login.registry);
    if (const std::string helper = detail::find_login_helper(there, login.server); !helper.empty())
      return make_error(errc::unsupported, "docker",
                        "in the image " + detail::shown_helper(helper) +
                            " keeps credentials, so that its client looks at no others for " + login.registry,
                        std::string(docker_login_path),
                        "take credsStore and credHelpers out of that file of the image");
    const std::string wanted = entry->root().to_json();
    const json_view own = detail::find_login(there, login.server);
    if (own && own.to_json() != wanted)
      return make_error(errc::exists, "docker", "the image has credentials of its own for " + login.registry,
                        std::string(docker_login_path), "take them out of the image, or do not name this registry");
    if (!own) added.emplace_back(login.server, wanted);
  }

  json_writer out(2);
  out.open_object();
  for (std::size_t i = 0; i < there.size(); ++i)
    if (there.name(i) != "auths") out.key(there.name(i)).raw(there.at(i).to_json());
  out.key("auths").open_object();
  const json_view before = there["auths"];
  for (std::size_t i = 0; before.is_object() && i < before.size(); ++i)
    out.key(before.name(i)).raw(before.at(i).to_json());
  for (const auto& [server, entry] : added) out.key(server).raw(entry);
  out.close_object().close_object();
  return out.take() + '\n';
}

BERTH_DECL boost::asio::awaitable<result<std::vector<docker_file>>> read_registry_files(docker_registries what,
                                                                                        std::string rootfs,
                                                                                        time_point deadline) {
  BERTH_CO_TRY(check_registries(what));
  std::vector<docker_file> out;
  for (const auto& [registry, file] : what.certificates) {
    auto read = detail::read_registry_certificates(registry, file);
    if (!read) co_return std::move(read).error();
    out.push_back(std::move(*read));
  }
  if (what.logins.empty()) co_return out;
  const std::string file = what.login_file.empty() ? detail::default_login_file() : what.login_file;
  std::string ours;
  if (const int failed = try_read_system_file(file, ours, detail::most_registry_file_bytes); failed != 0)
    co_return errno_error(failed, "docker", "cannot read the credentials for " + what.logins.front(), file,
                          "`docker login` writes this file; name another one where they are elsewhere");
  auto root = rooted::open(rootfs, "docker");
  if (!root) co_return std::move(root).error();
  auto theirs = root->read(std::string(docker_login_path), detail::most_registry_file_bytes, "docker");
  if (!theirs) co_return std::move(theirs).error();
  auto logins = find_logins(ours, what.logins);
  if (!logins) co_return std::move(logins).error();
  for (registry_login& login : *logins) {
    if (login.helper.empty()) continue;
    auto asking = ask_login_helper(login.helper, login.registry,
                                   std::min(deadline, deadline_after(detail::login_helper_patience)));
    auto entry = co_await std::move(asking);
    if (!entry) co_return std::move(entry).error();
    login.entry = std::move(*entry);
  }
  auto added = add_logins(*logins, *theirs);
  if (!added) co_return std::move(added).error();
  out.push_back({std::string(docker_login_path), std::move(*added), 0600});
  co_return out;
}

}  // namespace berth

// SPDX-License-Identifier: Apache-2.0
#include "doctor/image_reference.hpp"

#include "options/options.hpp"

#include <algorithm>
#include <array>

namespace berth::cli {
namespace {

constexpr std::string_view default_registry = "docker.io";
constexpr std::string_view digits = "0123456789";
constexpr std::string_view lower = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

// Those of skopeo's that may hold an image for a sandbox. "docker" is not among them: docker:27 is an image of that name.
constexpr std::array<std::string_view, 6> transports{"containers-storage", "dir", "docker-archive",
                                                     "docker-daemon",      "oci", "oci-archive"};

bool all_of(std::string_view text, std::string_view set) {
  return text.find_first_not_of(set) == std::string_view::npos;
}

// "host", "host:5000", "[::1]:5000": what is told from the first part of a repository by a dot, a port or its name.
bool is_registry(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const bool bracketed = text.starts_with('[');
  std::string_view host = text;
  bool port = false;
  if (colon != std::string_view::npos && !text.ends_with(']')) {
    const std::string_view number = text.substr(colon + 1);
    if (number.empty() || !all_of(number, digits)) return false;
    host = text.substr(0, colon);
    port = true;
  }
  if (bracketed)
    return host.size() > 2 && host.ends_with(']') && all_of(host.substr(1, host.size() - 2), "0123456789abcdef:");
  if (host.empty() || !all_of(host, std::string(letters) + ".-")) return false;
  const std::size_t dot = host.find('.', 1);
  return port || host == "localhost" || (dot != std::string_view::npos && dot + 1 < host.size());
}

// Small letters and digits, with one of . _ __ or any number of - between them.
bool is_component(std::string_view text) {
  if (text.empty()) return false;
  while (true) {
    const std::size_t word = std::min(text.find_first_not_of(lower), text.size());
    if (word == 0) return false;
    text.remove_prefix(word);
    if (text.empty()) return true;
    const std::size_t gap = std::min(text.find_first_of(lower), text.size());
    const std::string_view between = text.substr(0, gap);
    if (between != "." && between != "_" && between != "__" && !all_of(between, "-")) return false;
    text.remove_prefix(gap);
  }
}

bool is_repository(std::string_view text) {
  for (;;) {
    const std::size_t slash = text.find('/');
    if (!is_component(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= 128 && text.front() != '.' && text.front() != '-' &&
         all_of(text, std::string(letters) + "_.-");
}

bool is_digest(std::string_view text) {
  return text.starts_with("sha256:") && text.size() == 7 + 64 && all_of(text.substr(7), "0123456789abcdef");
}

// Of an image in a registry.
bool read_name(std::string_view text, image_reference& out) {
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    out.digest = text.substr(at + 1);
    if (!is_digest(out.digest)) return false;
    text = text.substr(0, at);
  }
  out.registry = default_registry;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos && is_registry(text.substr(0, slash))) {
    out.registry = text.substr(0, slash);
    text.remove_prefix(slash + 1);
  }
  if (out.registry == "index.docker.io") out.registry = default_registry;
  out.tag = "latest";
  if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    out.tag = text.substr(colon + 1);
    if (!is_tag(out.tag)) return false;
    text = text.substr(0, colon);
  }
  if (!is_repository(text)) return false;
  out.repository = text;
  if (out.registry == default_registry && text.find('/') == std::string_view::npos)
    out.repository.insert(0, "library/");
  return true;
}

}  // namespace

std::string image_reference::to_string() const {
  if (transport != "docker") return transport + ":" + place;
  return registry + "/" + repository + (digest.empty() ? ":" + tag : "@" + digest);
}

result<image_reference> parse_image_reference(std::string_view text) {
  image_reference out;
  const std::string_view transport = text.substr(0, text.find(':'));
  if (transport.size() < text.size() && std::ranges::find(transports, transport) != transports.end()) {
    out.transport = transport;
    out.place = text.substr(transport.size() + 1);
    if (!out.place.empty() && out.place.find('\0') == std::string::npos) return out;
  } else if (read_name(text.starts_with("docker://") ? text.substr(9) : text, out)) {
    return out;
  }
  return make_error(errc::invalid, "cli", in_quotes(text) + " is not the name of an image", {},
                    "write it as [registry/]repository[:tag][@sha256:…], oci:DIR:TAG, docker-archive:FILE or dir:DIR");
}

result<skopeo_source> find_source(const image_reference& image, std::string_view mirror) {
  if (image.transport != "docker") return skopeo_source{image.to_string()};
  skopeo_source out;
  std::string_view registry = image.registry;
  if (!mirror.empty() && registry == default_registry) registry = mirror;
  if (registry.starts_with("http://")) {
    registry.remove_prefix(7);
    out.tls = false;
  }
  if (registry.starts_with("https://")) registry.remove_prefix(8);
  while (registry.ends_with('/')) registry.remove_suffix(1);
  if (registry.find('@') != std::string_view::npos)
    return usage_error(
        "credentials in the name of a registry are read by every user of this machine, in the list of processes; give "
        "them by $REGISTRY_AUTH_FILE, as `skopeo login` or `docker login` writes it",
        "BERTH_REGISTRY_MIRROR");
  image_reference there = image;
  there.registry = registry;
  out.name = "docker://" + there.to_string();
  return out;
}

}  // namespace berth::cli

// SPDX-License-Identifier: Apache-2.0
#include "image_failure.hpp"

#include <algorithm>
#include <cctype>
#include <initializer_list>

namespace berth::cli {
namespace {

// skopeo's words (1.9), in small letters; what they mean for who names an image, and what to do.
struct known_cause {
  std::initializer_list<std::string_view> signs;
  const char* cause;
  const char* hint;
  errc code = errc::process_exited;
};

const known_cause causes[] = {
    {{"http response to https client"},
     "the registry speaks no TLS",
     "write a mirror in $BERTH_REGISTRY_MIRROR as http://host:port; for another registry say `insecure = true` in "
     "/etc/containers/registries.conf"},
    {{"x509", "certificate"},
     "the registry's certificate is not trusted on this machine",
     "give this machine the certificate of its authority (update-ca-certificates)"},
    {{"dial tcp", "no such host", "connection refused", "i/o timeout", "deadline exceeded", "no route to host"},
     "the registry cannot be reached from here",
     "check the name and this machine's network; a mirror of docker.io is named by $BERTH_REGISTRY_MIRROR"},
    {{"unauthorized", "authentication required", "access to the resource is denied"},
     "the registry wants credentials",
     "`skopeo login` or `docker login` first, or give $REGISTRY_AUTH_FILE",
     errc::permission},
    {{"manifest unknown", "name unknown"},
     "the registry has no such image",
     "`skopeo list-tags docker://REPOSITORY` lists the tags that a repository has",
     errc::not_found},
    {{"no descriptor found for reference", "tag not found in"},
     "there is no image of this name in it",
     "`umoci list --layout DIR` lists what an OCI layout has",
     errc::not_found},
    {{"no image found in"},
     "there is no such image for this machine's architecture",
     "take an image that is made for it",
     errc::not_found},
    {{"no space left on device"},
     "there is no room for the image",
     "name a directory with more room by $TMPDIR",
     errc::io},
    {{"trust policy"},
     "skopeo has not been told whose images it may take",
     "install containers-common (golang-github-containers-common in Debian), which brings /etc/containers/policy.json"},
    {{"no such file or directory"},
     "the image is not there",
     "name a directory or a file that holds one",
     errc::not_found},
};

}  // namespace

std::string plain_words(std::string_view printed) {
  constexpr std::string_view field = "level=fatal msg=\"";
  const std::size_t at = printed.find(field);
  if (at != std::string_view::npos) {
    std::string out;
    for (std::size_t i = at + field.size(); i < printed.size(); ++i) {
      if (printed[i] == '"') return out;
      if (printed[i] != '\\' || i + 1 == printed.size()) {
        out += printed[i];
        continue;
      }
      const char escaped = printed[++i];
      if (escaped == 'n') out += '\n';
      else if (escaped == 't') out += '\t';
      else if (escaped == '"' || escaped == '\\') out += escaped;
      else (out += '\\') += escaped;
    }
  }
  while (printed.ends_with('\n')) printed.remove_suffix(1);
  return std::string(printed);
}

error explain_failure(const std::string& program, const std::string& ended, std::string_view printed,
                      const std::string& image) {
  constexpr std::size_t kept = 2000;
  const std::string words = plain_words(printed.substr(printed.size() - std::min(printed.size(), kept)));
  std::string small = words;
  std::ranges::transform(small, small.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  error out = make_error(errc::process_exited, "cli",
                         program == "umoci" ? "cannot unpack the image" : "cannot fetch the image", image);
  out.detail = program + " ended with " + ended + (words.empty() ? "" : ": " + words);
  for (const known_cause& one : causes) {
    std::size_t at = std::string::npos;
    for (const std::string_view sign : one.signs) at = std::min(at, small.find(sign));
    if (at == std::string::npos) continue;
    // From there on it is the innermost of what one part of skopeo says of another.
    const std::string_view innermost = std::string_view(words).substr(at);
    out.message = std::string(one.cause) + ": " +
                  std::string(innermost.substr(0, std::min<std::size_t>(innermost.find('\n'), 200)));
    out.code = one.code;
    out.hint = one.hint;
    break;
  }
  return out;
}

}  // namespace berth::cli

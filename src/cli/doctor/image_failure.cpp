// SPDX-License-Identifier: Apache-2.0
#include "doctor/image_failure.hpp"

#include <algorithm>
#include <cctype>
#include <initializer_list>

namespace berth::cli {
namespace {

struct known_cause {
  std::initializer_list<std::string_view> signs;
  const char* cause;
  const char* hint;
  errc code = errc::process_exited;
};

const known_cause causes[] = {
#include "doctor/image_failure_table.ipp"
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

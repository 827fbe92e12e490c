// SPDX-License-Identifier: Apache-2.0
// DNS messages (RFC 1035), as far as a sandbox's questions are answered by them: pure functions over bytes that a sandbox or a
// name server has sent, which are nothing to be trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::guest {

enum class dns_code : std::uint8_t {
  no_error = 0,
  format_error = 1,
  server_failure = 2,
  no_such_name = 3,
  not_implemented = 4,
};

inline constexpr std::uint16_t dns_type_a = 1;
/// What a message over UDP may have where the other end has not said that it takes more.
inline constexpr std::size_t dns_datagram = 512;
/// More addresses of one answer are left out.
inline constexpr std::size_t most_dns_addresses = 64;

struct dns_question {
  std::uint16_t id = 0;
  bool recursion = false;  ///< wanted
  std::uint16_t type = 0;
  /// "www.example.com", in lower case; a character that no host's name has is '?'.
  std::string name;
  /// Name, type and class as they were asked, for the answer.
  std::string section;
};

/// Nothing where it is no question of one name in class IN.
std::optional<dns_question> read_question(std::string_view message);

/// The answer to a message that read_question cannot read; empty where it is to have none.
std::string answer_to_nonsense(std::string_view message);

/// A question of our own to a name server.
std::string write_question(const dns_question& question, std::uint16_t id);

/// Whether a message answers this question under this id.
bool answers(std::string_view message, const dns_question& question, std::uint16_t id);
/// Of one that answers: it did not fit.
bool is_truncated(std::string_view message);
dns_code code_of(std::string_view message);

/// What a name has been found to be.
struct dns_found {
  std::vector<std::string>
      aliases;  ///< the chain of CNAMEs from the name on, as in the message: labels with their lengths
  std::vector<std::uint32_t> addresses;  ///< of its end, each once, in host byte order
  std::uint32_t seconds = 0;             ///< that all of it holds
};

/// Of an answer to a question for addresses. Nothing where it is malformed.
std::optional<dns_found> read_found(std::string_view message, const dns_question& question);

/// The answer with a code and what was found, whatever its length.
std::string write_answer(const dns_question& question, dns_code code, const dns_found& found = {});
/// The same without anything, marked as one that did not fit.
std::string write_truncated(const dns_question& question);
/// A server's answer as the answer to the question that ours was made of.
std::string pass_on(std::string_view message, const dns_question& question);

}  // namespace berth::guest

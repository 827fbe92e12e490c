// SPDX-License-Identifier: Apache-2.0
// What a sandbox asks and what a name server answers.
#include "../../src/guest/host/dns_message.cpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::guest;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  (void)answer_to_nonsense(all);
  // A question, and behind it what answers it.
  const auto question = read_question(all);
  if (!question) return 0;
  if (question->name.size() > 255 || question->section.size() > 259) std::abort();
  const auto again = read_question(write_question(*question, question->id));
  if (!again || again->section != question->section || again->name != question->name) std::abort();
  std::string message(all);
  message[2] = static_cast<char>(message[2] | 0x80);
  message[7] = static_cast<char>(message[8]);  // an answer's counts, which a question has not
  if (!answers(message, *question, question->id)) std::abort();
  (void)is_truncated(message);
  (void)pass_on(message, *question);
  const auto found = read_found(message, *question);
  if (!found) return 0;
  if (found->addresses.size() > most_dns_addresses || found->aliases.size() > 16) std::abort();
  const std::string written = write_answer(*question, code_of(message), *found);
  const auto twice = read_found(written, *question);
  if (!twice || twice->aliases != found->aliases || twice->addresses != found->addresses) std::abort();
  return 0;
}

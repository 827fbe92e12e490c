// SPDX-License-Identifier: Apache-2.0
// What a sandbox and a name server may send, however malformed.
#include "guest/host/dns_message.hpp"

#include <gtest/gtest.h>

namespace berth::guest {
namespace {

using namespace std::string_literals;

std::string labels(const std::string& name) {
  std::string out;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = std::min(name.find('.', at), name.size());
    out += static_cast<char>(end - at);
    out += name.substr(at, end - at);
    at = end + 1;
  }
  return out + '\0';
}

std::string question(const std::string& name, int type = 1) {
  return "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"s + labels(name) + '\0' + static_cast<char>(type) +
         "\0\x01"s;
}

std::string record(const std::string& owner, int type, std::uint32_t seconds, const std::string& data) {
  std::string out = owner + '\0' + static_cast<char>(type) + "\0\x01"s;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(seconds >> shift & 255);
  return out + static_cast<char>(data.size() >> 8) + static_cast<char>(data.size() & 255) + data;
}

std::string answer(const std::string& asked, const std::vector<std::string>& records, char third = '\x81') {
  std::string out = asked;
  out[2] = third;
  out[3] = '\x80';
  out[7] = static_cast<char>(records.size());
  for (const std::string& one : records) out += one;
  return out;
}

const std::string to_question = "\xc0\x0c";

TEST(DnsQuestion, IsReadInLowerCase) {
  const auto read = read_question(question("WWW.Example.com", 28));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, 0x1234);
  EXPECT_TRUE(read->recursion);
  EXPECT_EQ(read->type, 28);
  EXPECT_EQ(read->name, "www.example.com");
  EXPECT_EQ(read->section, labels("WWW.Example.com") + "\0\x1c\0\x01"s);
  // As one is sent on, and with what comes behind it.
  EXPECT_TRUE(read_question(write_question(*read, 7)));
  EXPECT_TRUE(read_question(question("a.example") + "\0\0\x29\x10\0\0\0\0\0\0\0"s));
  EXPECT_EQ(read_question(question(""))->name, "");
  EXPECT_EQ(read_question(question("a b.\x01\xff.example"))->name, "a?b.??.example");
}

TEST(DnsQuestion, NonsenseIsNone) {
  const std::string good = question("www.example.com");
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(read_question(good.substr(0, n))) << n;
  const auto with = [&](std::size_t at, char value) {
    std::string changed = good;
    changed[at] = value;
    return changed;
  };
  EXPECT_FALSE(read_question(with(2, '\x81')));           // an answer
  EXPECT_FALSE(read_question(with(2, '\x29')));           // another operation
  EXPECT_FALSE(read_question(with(5, 0)));                // none
  EXPECT_FALSE(read_question(with(5, 2)));                // two
  EXPECT_FALSE(read_question(with(7, 1)));                // with an answer
  EXPECT_FALSE(read_question(with(12, '\xc0')));          // a pointer, to the header
  EXPECT_FALSE(read_question(with(12, '\x40')));          // a label of no kind
  EXPECT_FALSE(read_question(with(good.size() - 1, 3)));  // CHAOS
  EXPECT_FALSE(read_question(question(std::string(62, 'a') + "." + std::string(62, 'b') + "." + std::string(62, 'c') +
                                      "." + std::string(62, 'd') + ".eee")));
  EXPECT_EQ(answer_to_nonsense(with(5, 2)), "\x12\x34\x81\x01\0\0\0\0\0\0\0\0"s);
  EXPECT_EQ(answer_to_nonsense(with(2, '\x29')), "\x12\x34\xa9\x04\0\0\0\0\0\0\0\0"s);
  EXPECT_EQ(answer_to_nonsense(with(2, '\x81')), "");  // or two of them would answer each other for ever
  EXPECT_EQ(answer_to_nonsense("short"), "");
}

TEST(DnsAnswer, IsOfItsQuestion) {
  const auto asked = read_question(question("www.example.com"));
  const std::string good = answer(question("wWw.example.com"), {});
  EXPECT_TRUE(answers(good, *asked, 0x1234));
  EXPECT_FALSE(answers(good, *asked, 0x1235));
  EXPECT_FALSE(answers(question("www.example.com"), *asked, 0x1234));
  EXPECT_FALSE(answers(answer(question("www.example.net"), {}), *asked, 0x1234));
  EXPECT_FALSE(answers(answer(question("www.example.com", 28), {}), *asked, 0x1234));
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(answers(good.substr(0, n), *asked, 0x1234)) << n;
  EXPECT_FALSE(is_truncated(good));
  EXPECT_TRUE(is_truncated(answer(question("www.example.com"), {}, '\x83')));
}

TEST(DnsAnswer, AddressesAreTheNamesOwnOrThoseOfItsAliases) {
  const auto asked = read_question(question("www.example.com"));
  const std::string alias = labels("cdn.example.net");
  const auto found = read_found(
      answer(question("www.example.com"),
             {record(labels("other.example"), 1, 9, "\x0a\0\0\x09"s), record(alias, 1, 300, "\xc0\0\2\7"s),
              record(to_question, 5, 60, "\3CDN\7example\3net\0"s), record(to_question, 1, 9, "\x0a\0\0\x01"s),
              record(to_question, 28, 9, std::string(16, 'x')), record(alias, 1, 200, "\xc0\0\2\7"s),
              record(to_question, 16, 1, "\1x"s), record(alias, 1, 200, "\xc0\0\2\x08"s)}),
      *asked);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->aliases, std::vector<std::string>{alias});
  EXPECT_EQ(found->addresses, (std::vector<std::uint32_t>{0xc0000207, 0xc0000208}));
  EXPECT_EQ(found->seconds, 60u);
  // What is written of it is read as the same.
  const std::string sent = write_answer(*asked, dns_code::no_error, *found);
  EXPECT_TRUE(answers(sent, *asked, 0x1234));
  const auto again = read_found(sent, *asked);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->aliases, found->aliases);
  EXPECT_EQ(again->addresses, found->addresses);
  EXPECT_EQ(again->seconds, 60u);
  EXPECT_EQ(code_of(write_answer(*asked, dns_code::no_such_name)), dns_code::no_such_name);
  EXPECT_TRUE(is_truncated(write_truncated(*asked)));
}

TEST(DnsAnswer, NonsenseIsNone) {
  const auto asked = read_question(question("www.example.com"));
  const std::string q = question("www.example.com");
  EXPECT_TRUE(read_found(answer(q, {}), *asked)->addresses.empty());
  const std::string good = answer(q, {record(to_question, 1, 300, "\xc0\0\2\7"s)});
  for (std::size_t n = q.size(); n < good.size(); ++n) EXPECT_FALSE(read_found(good.substr(0, n), *asked)) << n;
  EXPECT_FALSE(read_found(answer(q, {record(to_question, 1, 300, "\xc0\0\2"s)}), *asked));
  EXPECT_FALSE(read_found(answer(q, {record(to_question, 5, 300, "\3www"s)}), *asked));
  EXPECT_FALSE(read_found(answer(q, {record("\xc0\xff"s, 1, 300, "\xc0\0\2\7"s)}), *asked));
  // Pointers in a circle, at themselves, forward.
  const std::string here = "\xc0" + std::string(1, static_cast<char>(q.size()));
  EXPECT_FALSE(read_found(answer(q, {record(here, 1, 300, "\xc0\0\2\7"s)}), *asked));
  EXPECT_FALSE(read_found(answer(q, {record("\1a" + here, 1, 300, "\xc0\0\2\7"s)}), *asked));
  // A chain of aliases that leads back to its beginning.
  EXPECT_FALSE(read_found(answer(q, {record(to_question, 5, 300, to_question)}), *asked));
  // More than a thousand million years is no time at all.
  EXPECT_EQ(read_found(answer(q, {record(to_question, 1, 0xffffffff, "\xc0\0\2\7"s)}), *asked)->seconds, 0u);
}

TEST(DnsAnswer, HasNoMoreAddressesThanAreOpened) {
  const auto asked = read_question(question("www.example.com"));
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i) many.push_back(record(to_question, 1, 300, "\xc0\0\2"s + static_cast<char>(i)));
  EXPECT_EQ(read_found(answer(question("www.example.com"), many), *asked)->addresses.size(), most_dns_addresses);
}

TEST(DnsAnswer, OfAnotherTypeIsPassedOnUnderTheSandboxesOwnId) {
  const auto asked = read_question(question("WWW.example.com", 16));
  std::string theirs = answer(question("www.example.com", 16), {record(to_question, 16, 300, "\1x"s)});
  theirs[0] = '\x77';
  const std::string passed = pass_on(theirs, *asked);
  EXPECT_EQ(passed, answer(question("WWW.example.com", 16), {record(to_question, 16, 300, "\1x"s)}));
}

}  // namespace
}  // namespace berth::guest

// SPDX-License-Identifier: Apache-2.0
#include <berth/base/hash.hpp>
#include <berth/base/json_string.hpp>
#include <berth/base/text.hpp>
#include <berth/base/token.hpp>
#include <berth/base/utf8.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>

namespace berth {
namespace {

TEST(ParseNumber, TakesTheWholeTextOrNothing) {
  EXPECT_EQ(parse_number<int>("-42"), -42);
  EXPECT_EQ(parse_number<std::uint64_t>("18446744073709551615"), 18446744073709551615u);
  EXPECT_EQ(parse_number<int>("ff", 16), 255);
  EXPECT_EQ(parse_number<double>("0.5"), 0.5);
  for (const std::string_view text : {"", " 1", "1 ", "1\n", "+1", "0x1", "18446744073709551616", "-1", "1.0"})
    EXPECT_EQ(parse_number<std::uint64_t>(text), std::nullopt) << text;
}

TEST(WordCharacter, IsALetterADigitOrAnUnderscore) {
  std::string all;
  for (int c = 0; c < 256; ++c)
    if (is_word_character(static_cast<char>(c))) all += static_cast<char>(c);
  EXPECT_EQ(all, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");
}

TEST(Utf8, OnlyWellFormedSequences) {
  for (const std::string_view text :
       {"a", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff"}) {
    EXPECT_EQ(utf8_length(text), text.size()) << text;
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  // Bytes of a sequence's rest, overlong, a surrogate, beyond U+10FFFF, cut short.
  for (const std::string_view text : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf",
                                      "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80", "\xff", "\xc2", "\xe2\x80", "\xf0\x9f\x98", "\xc2z"}) {
    EXPECT_EQ(utf8_length(text), 0u);
    EXPECT_FALSE(is_utf8("a" + std::string(text)));
  }
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8(std::string_view("a\0b", 3)));
}

TEST(Utf8, NothingBeyondTheEndIsRead) {
  // At the end of an allocation, which AddressSanitizer watches: the rest of the sequence would lie behind it.
  for (const std::string_view part : {"\xf0\x9f\x98", "\xe2\x80", "\xc2"}) {
    const std::unique_ptr<char[]> bytes(new char[part.size()]);
    std::copy(part.begin(), part.end(), bytes.get());
    EXPECT_EQ(utf8_length(std::string_view(bytes.get(), part.size())), 0u);
  }
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonString, IsAlwaysOneAndDrivesNoTerminal) {
  EXPECT_EQ(quoted(""), "\"\"");
  EXPECT_EQ(quoted("a\"b\\c\n\t\rd\x1b\x7f"), "\"a\\\"b\\\\c\\n\\t\\rd\\u001b\\u007f\"");
  EXPECT_EQ(quoted("é\xff\xe2\x82z"), "\"é\ufffd\ufffd\ufffdz\"");
  EXPECT_EQ(quoted(std::string_view("\0", 1)), "\"\\u0000\"");
}

TEST(Fnv1a, HasThePublishedValues) {
  EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325u);
  EXPECT_EQ(fnv1a("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(fnv1a("foobar"), 0x85944171f73967e8u);
}

TEST(Token, IsOfItsLettersAndDrawnAnew) {
  const std::string one = random_token(40), other = random_token(40);
  EXPECT_EQ(one.size(), 40u);
  EXPECT_EQ(one.find_first_not_of(token_letters), std::string::npos);
  EXPECT_NE(one, other);
  EXPECT_EQ(token_of(0, 3), "aaa");
  EXPECT_EQ(token_of(31 | 1 << 5, 2), "7b");
}

}  // namespace
}  // namespace berth

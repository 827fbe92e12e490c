// SPDX-License-Identifier: Apache-2.0
// A program that uses rapidjson for itself, behind berth's own copy.
#include <berth/spec/detail/document.hpp>

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <gtest/gtest.h>

#include <type_traits>

namespace berth {
namespace {

TEST(Rapidjson, TheProgramsOwnIsAnother) {
  static_assert(!std::is_same_v<::rapidjson::UTF8<>, detail::rapidjson::UTF8<>>);
  ::rapidjson::Document theirs;
  theirs.Parse(R"({"a":[1.5]})");
  ::rapidjson::StringBuffer out;
  ::rapidjson::Writer<::rapidjson::StringBuffer> writer(out);
  theirs.Accept(writer);
  EXPECT_STREQ(out.GetString(), R"({"a":[1.5]})");
  EXPECT_DOUBLE_EQ(theirs["a"][0].GetDouble(), 1.5);  // theirs has numbers as numbers
}

TEST(Rapidjson, BerthsThrowsWhereTheirsWouldAbort) {
  const detail::json_value number(1);
  EXPECT_THROW((void)number.GetString(), detail::rapidjson_assertion);
  detail::arena memory;
  EXPECT_THROW((void)memory.Malloc(SIZE_MAX / 2), std::bad_alloc);
}

}  // namespace
}  // namespace berth

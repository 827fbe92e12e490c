// SPDX-License-Identifier: Apache-2.0
#include <berth/spec/json.hpp>

#include <gtest/gtest.h>

namespace berth {
namespace {

parsed_json parsed(std::string_view text) {
  auto json = parsed_json::parse(text);
  if (!json) ADD_FAILURE() << json.error().to_string();
  return json ? std::move(*json) : std::move(*parsed_json::parse("null"));
}

errc refused(std::string_view text) {
  const auto json = parsed_json::parse(text);
  return json ? errc::ok : json.error().code;
}

TEST(ParsedJson, ValuesOfEveryKind) {
  const parsed_json json = parsed(
      R"({"t":"é\"","n":-12,"big":18446744073709551616,"r":0.5,"b":true,"z":null,"a":["x",1,"y"],"o":{"k":{}}})");
  const json_view root = json.root();
  EXPECT_TRUE(root.is_object());
  EXPECT_EQ(root.size(), 8u);
  EXPECT_EQ(root["t"].text(), "é\"");
  EXPECT_EQ(root["n"].number<int>(), -12);
  EXPECT_EQ(root["n"].number<unsigned>(), std::nullopt);
  EXPECT_EQ(root["big"].number<std::uint64_t>(), std::nullopt);
  EXPECT_EQ(root["big"].digits(), "18446744073709551616");
  EXPECT_EQ(root["r"].number<double>(), 0.5);
  EXPECT_EQ(root["r"].number<int>(), std::nullopt);
  EXPECT_EQ(root["b"].truth(), true);
  EXPECT_FALSE(root["z"]) << "null is as good as absent";
  EXPECT_EQ(root.at(5).type(), json_view::kind::null);
  EXPECT_EQ(root.name(5), "z");
  EXPECT_EQ(root["a"].size(), 3u);
  EXPECT_EQ(root["a"].at(2).text(), "y");
  EXPECT_EQ(root["a"].texts(), (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(root["o"]["k"].is_object());
  EXPECT_EQ(root["o"].name(0), "k");
  EXPECT_EQ(root["a"].to_json(), R"(["x",1,"y"])");
  EXPECT_EQ(root["z"].to_json(), "null");
}

TEST(ParsedJson, WhatIsNotThereIsNone) {
  const parsed_json json = parsed(R"(["x"])");
  for (const json_view none :
       {json_view(), json.root()["a"], json.root()["a"]["b"], json.root().at(1), json.root().at(0).at(0)}) {
    EXPECT_FALSE(none);
    EXPECT_EQ(none.type(), json_view::kind::none);
    EXPECT_EQ(none.size(), 0u);
    EXPECT_EQ(none.name(0), "");
    EXPECT_EQ(none.text(), std::nullopt);
    EXPECT_EQ(none.truth(), std::nullopt);
    EXPECT_EQ(none.digits(), "");
    EXPECT_TRUE(none.texts().empty());
  }
  EXPECT_EQ(json.root().text(), std::nullopt);
  EXPECT_EQ(json.root().at(0).number<int>(), std::nullopt);
  EXPECT_EQ(parsed("null").root().type(), json_view::kind::null);
}

TEST(ParsedJson, IsCheckedAsASpecIs) {
  EXPECT_EQ(refused(""), errc::spec_syntax);
  EXPECT_EQ(refused("{}{}"), errc::spec_syntax);
  EXPECT_EQ(refused("1,\"x\":2"), errc::spec_syntax);
  EXPECT_EQ(refused("\"\xff\""), errc::spec_syntax);
  EXPECT_EQ(refused(R"("\u0000")"), errc::spec_nul);
  EXPECT_EQ(refused(R"({"a":1,"a":2})"), errc::spec_duplicate_key);
  EXPECT_EQ(refused(std::string(200, '[') + std::string(200, ']')), errc::spec_too_deep);
}

TEST(ParsedJson, ViewsStayGoodWhenItIsMoved) {
  parsed_json json = parsed(R"({"a":"text"})");
  const json_view a = json.root()["a"];
  const parsed_json moved = std::move(json);
  EXPECT_EQ(a.text(), "text");
  EXPECT_EQ(moved.root()["a"].text(), "text");
}

}  // namespace
}  // namespace berth

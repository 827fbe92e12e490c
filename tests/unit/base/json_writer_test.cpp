// SPDX-License-Identifier: Apache-2.0
#include <berth/base/json_writer.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace berth {
namespace {

std::string written(int indent) {
  json_writer out(indent);
  out.open_object();
  out.key("a").string("x").key("b").open_array().number(-1).unsigned_number(18446744073709551615u).close_array();
  out.key("c").open_object().close_object().key("d").open_array().close_array();
  out.key("e").boolean(true).key("f").null().key("g").raw("[1]").close_object();
  return out.take();
}

TEST(JsonWriter, OnOneLine) {
  EXPECT_EQ(written(0), R"({"a":"x","b":[-1,18446744073709551615],"c":{},"d":[],"e":true,"f":null,"g":[1]})");
}

TEST(JsonWriter, OneMemberALine) {
  EXPECT_EQ(written(2), R"({
  "a": "x",
  "b": [
    -1,
    18446744073709551615
  ],
  "c": {},
  "d": [],
  "e": true,
  "f": null,
  "g": [1]
})");
}

TEST(JsonWriter, RealNumbers) {
  json_writer out;
  out.open_array().real(0.1).real(3).real(1e300).real(std::nan("")).real(std::numeric_limits<double>::infinity());
  out.decimal(1.23456).decimal(-0.5).decimal(std::nan("")).close_array();
  EXPECT_EQ(out.take(), "[0.1,3,1e+300,null,null,1.235,-0.500,null]");
  json_writer large;
  EXPECT_EQ(large.decimal(std::numeric_limits<double>::max()).take().size(), 309u + 4u);
}

TEST(JsonWriter, EscapesAndMendsUtf8) {
  const auto text = [](std::string_view s) { return json_writer().string(s).take(); };
  EXPECT_EQ(text("a\"\\\n\t\r"), R"("a\"\\\n\t\r")");
  EXPECT_EQ(text(std::string_view("\x01\x7f\0", 3)), R"("\u0001\u007f\u0000")");
  EXPECT_EQ(text("é…𝄞"), "\"é…𝄞\"");
  EXPECT_EQ(text("\xff|\xc3|\xe2\x82|\xed\xa0\x80|\xc0\xaf|\xf5\x80\x80\x80"),
            "\"\uFFFD|\uFFFD|\uFFFD\uFFFD|\uFFFD\uFFFD\uFFFD|\uFFFD\uFFFD|\uFFFD\uFFFD\uFFFD\uFFFD\"");
}

}  // namespace
}  // namespace berth

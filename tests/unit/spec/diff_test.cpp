// SPDX-License-Identifier: Apache-2.0
#include <berth/spec/diff.hpp>
#include <berth/spec/merge.hpp>

#include <gtest/gtest.h>

namespace berth {
namespace {

std::string diff(const char* before, const char* after) {
  return format_diff(diff_specs(spec_builder::parse(before).value(), spec_builder::parse(after).value()));
}

TEST(Diff, EqualInMeaningIsEmpty) {
  EXPECT_EQ(diff(R"({"a":1,"b":{"c":[1,2],"d":null}})", R"({"b":{"d":null,"c":[1,2]},"\u0061":1})"), "");
}

TEST(Diff, Members) {
  EXPECT_EQ(diff(R"({"a":1,"b":2,"c":{"d":3}})", R"({"a":1.0,"c":{"d":3,"e/f":[]}})"),
            "~ /a 1 -> 1.0\n- /b 2\n+ /c/e~1f []\n");
  EXPECT_EQ(diff(R"({"a":{}})", R"({"a":[]})"), "~ /a {} -> []\n");
}

TEST(Diff, ArraysAreAligned) {
  EXPECT_EQ(diff(R"({"a":[1,2,3]})", R"({"a":[1,2,3,4]})"), "+ /a/3 4\n");
  EXPECT_EQ(diff(R"({"a":[1,2,3]})", R"({"a":[0,1,2,3]})"), "+ /a/0 0\n");
  EXPECT_EQ(diff(R"({"a":[1,2,3]})", R"({"a":[1,3]})"), "- /a/1 2\n");
  EXPECT_EQ(diff(R"({"a":[1,2,3,4,5]})", R"({"a":[1,9,3,5,6]})"), "~ /a/1 2 -> 9\n- /a/3 4\n+ /a/4 6\n");
  EXPECT_EQ(diff(R"({"a":[]})", R"({"a":[1]})"), "+ /a/0 1\n");
  EXPECT_EQ(diff(R"({"a":[1]})", R"({"a":[]})"), "- /a/0 1\n");
}

TEST(Diff, ElementsThatStandAgainstEachOtherAreComparedWithin) {
  EXPECT_EQ(diff(R"({"mounts":[{"destination":"/a","source":"x"},{"destination":"/b"}]})",
                 R"({"mounts":[{"destination":"/a","source":"y"},{"destination":"/b"},{"destination":"/c"}]})"),
            "~ /mounts/0/source \"x\" -> \"y\"\n+ /mounts/2 {\"destination\":\"/c\"}\n");
}

TEST(Diff, KeysInAnotherOrderAreFound) {
  const auto numbered = [](int from, int to, int step, const char* value) {
    std::string out = R"({"annotations":{)";
    for (int i = from; i != to; i += step)
      out += (i == from ? "\"k" : ",\"k") + std::to_string(i) + "\":\"" + value + '"';
    return out + "}}";
  };
  EXPECT_EQ(diff(numbered(0, 1000, 1, "v").c_str(), numbered(999, -1, -1, "v").c_str()), "");
  EXPECT_EQ(diff(numbered(0, 100, 1, "v").c_str(), numbered(100, 0, -1, "v").c_str()),
            "- /annotations/k0 \"v\"\n+ /annotations/k100 \"v\"\n");
  EXPECT_EQ(diff(numbered(0, 2, 1, "v").c_str(), numbered(1, -1, -1, "w").c_str()),
            "~ /annotations/k0 \"v\" -> \"w\"\n~ /annotations/k1 \"v\" -> \"w\"\n");
}

TEST(Diff, CommonElementsAreFoundWhateverTheOrderOfTheirKeys) {
  EXPECT_EQ(diff(R"({"a":[{"x":1,"y":[{"b":1,"c":2}]},2,3]})", R"({"a":[9,{"y":[{"c":2,"b":1}],"x":1},3]})"),
            "+ /a/0 9\n- /a/1 2\n");
}

// Each key looked for among all the others would take minutes.
TEST(Diff, ManyKeysEndAtOnce) {
  // Pair by pair this would take longer than a test may. Under sanitizers, which take twenty times as long, only what the
  // code does is looked at.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr int count = 10000;
#else
  constexpr int count = 300000;
#endif
  std::string before = R"({"annotations":{"first":"")";
  std::string after = before;
  for (int i = 0; i < count; ++i) {
    before += ",\"k" + std::to_string(i) + "\":\"\"";
    after += ",\"k" + std::to_string(count - i) + "\":\"\"";
  }
  spec_builder a = spec_builder::parse(before + "}}").value();
  const spec_builder b = spec_builder::parse(after + "}}").value();
  EXPECT_EQ(format_diff(diff_specs(a, b)),
            "- /annotations/k0 \"\"\n+ /annotations/k" + std::to_string(count) + " \"\"\n");
  ASSERT_TRUE(merge_spec(a, after + "}}"));
  EXPECT_EQ(format_diff(diff_specs(a, b)), "- /annotations/k0 \"\"\n");
}

TEST(Diff, LargeArraysEndAtOnce) {
  std::string before = R"({"a":[)";
  std::string after = before;
  for (int i = 0; i < 3000; ++i) {
    before += std::to_string(i) + ",";
    after += std::to_string(i + 100000) + ",";
  }
  before += "0]}";
  after += "1]}";
  EXPECT_EQ(diff_specs(spec_builder::parse(before).value(), spec_builder::parse(after).value()).size(), 3001u);
}

}  // namespace
}  // namespace berth

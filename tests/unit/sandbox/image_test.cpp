// SPDX-License-Identifier: Apache-2.0
#include <berth/sandbox/detail/image_layout.hpp>
#include <berth/sandbox/image.hpp>
#include <berth/spec/json.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace berth;

image_options good_options() {
  image_options out;
  out.layout = "/srv/images";
  out.tag = "v1";
  return out;
}

TEST(Image, TagsAreThoseThatDockerAndUmociTake) {
  for (const char* tag : {"a", "1", "v1.2", "a_b", "a-b", "a--b", "A.1-2_3", "latest"})
    EXPECT_TRUE(check_image_tag(tag)) << tag;
  EXPECT_TRUE(check_image_tag(std::string(128, 'a')));
  for (const char* tag : {"", ".a", "-a", "_a", "a.", "a-", "a..b", "a__b", "a---b", "a-.b", "a.-b", "a/b", "a:b",
                          "a b", "a\nb", "a@b", "\xc3\xa9"})
    EXPECT_FALSE(check_image_tag(tag)) << tag;
  EXPECT_FALSE(check_image_tag(std::string(129, 'a')));
}

TEST(Image, OptionsAreCheckedBeforeAnythingIsDone) {
  EXPECT_TRUE(check_image_options(good_options()));
  const auto refused = [](auto change) {
    image_options options = good_options();
    change(options);
    const auto good = check_image_options(options);
    return good ? std::string("nothing") : good.error().message;
  };
  EXPECT_NE(refused([](auto& o) { o.tag = "-"; }).find("tag"), std::string::npos);
  for (const char* layout : {"", "/", "//"})
    EXPECT_EQ(refused([&](auto& o) { o.layout = layout; }), "the image layout is no directory of its own");
  EXPECT_NE(refused([](auto& o) { o.layout = "/a:b"; }).find("colon"), std::string::npos);
  for (const char* variable : {"", "A", "=B"})
    EXPECT_EQ(refused([&](auto& o) { o.env = {variable}; }), "a variable is NAME=VALUE");
  EXPECT_NE(refused([](auto& o) { o.workdir = "srv"; }).find("absolute"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.command = {"echo", ""}; }).find("empty word"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.message = std::string(1, '\0'); }).find("NUL"), std::string::npos);
}

TEST(ImageIndex, ATagIsPutInAndTheOthersStay) {
  const std::string added =
      R"({"schemaVersion":2,"manifests":[{"digest":"sha256:new","annotations":{"org.opencontainers.image.ref.name":"b"}}]})";
  const std::string index =
      R"({"schemaVersion":2,"mediaType":"m","manifests":[{"digest":"sha256:a","size":12345678901234567890,)"
      R"("annotations":{"org.opencontainers.image.ref.name":"a"}},{"digest":"sha256:old","annotations":)"
      R"({"org.opencontainers.image.ref.name":"b"}},{"digest":"sha256:untagged"}],"annotations":{"k":"v"}})";
  const auto merged = detail::merge_image_index(index, added, "b");
  ASSERT_TRUE(merged) << merged.error().to_string();
  const auto read = parsed_json::parse(*merged);
  ASSERT_TRUE(read) << *merged;
  const json_view manifests = read->root()["manifests"];
  ASSERT_EQ(manifests.size(), 3u);
  EXPECT_EQ(manifests.at(0)["size"].digits(), "12345678901234567890");
  EXPECT_EQ(manifests.at(1)["digest"].text(), "sha256:untagged");
  EXPECT_EQ(manifests.at(2)["digest"].text(), "sha256:new");
  EXPECT_EQ(read->root()["mediaType"].text(), "m");
  EXPECT_EQ(read->root()["annotations"]["k"].text(), "v");
  for (const char* empty : {"", R"({"schemaVersion":2})", R"({"schemaVersion":2,"manifests":null})"}) {
    const auto first = detail::merge_image_index(empty, added, "b");
    ASSERT_TRUE(first) << empty;
    EXPECT_EQ(parsed_json::parse(*first)->root()["manifests"].size(), 1u);
  }
  for (const char* damaged : {"x", "[]", R"({"manifests":{}})", R"({"manifests":"a"})"}) {
    const auto none = detail::merge_image_index(damaged, added, "b");
    ASSERT_FALSE(none) << damaged;
    EXPECT_EQ(none.error().code, errc::invalid);
  }
}

}  // namespace

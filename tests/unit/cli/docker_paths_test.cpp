// SPDX-License-Identifier: Apache-2.0
#include "docker/docker_paths.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace berth::cli {
namespace {

using path_list = std::vector<std::string>;

TEST(BindSources, AreThoseOfRunAndCreate) {
  EXPECT_EQ(bind_sources({"run", "--rm", "-v", "/a:/w", "--volume=/b:/w:ro", "-it", "busybox"}),
            (path_list{"/a", "/b"}));
  EXPECT_EQ(bind_sources({"container", "create", "-itv", "/a:/w", "-v=/b:/w", "-v/c:/w", "x"}),
            (path_list{"/a", "/b", "/c"}));
  EXPECT_EQ(bind_sources({"--log-level", "debug", "-D", "run", "--mount", "type=bind,src=/a,dst=/w",
                          "--mount=type=bind,target=/w,source=/b", "x"}),
            (path_list{"/a", "/b"}));
}

TEST(BindSources, ARelativeOneBeginsHere) {
  const std::string here = std::filesystem::current_path().string();
  EXPECT_EQ(bind_sources({"run", "-v", "./src:/w", "-v", ".:/x", "x"}), (path_list{here + "/src", here}));
}

TEST(BindSources, NamesOfVolumesAndTheCommandsOwnWordsAreNone) {
  EXPECT_EQ(bind_sources({"run", "-v", "data:/w", "-v", "/anonymous", "--mount", "type=volume,src=/a,dst=/w", "x"}),
            path_list{});
  EXPECT_EQ(bind_sources({"run", "--name", "-v", "x", "ls", "-v", "/a:/w"}), path_list{});
  EXPECT_EQ(bind_sources({"exec", "-v", "/a:/w", "x"}), path_list{});
  EXPECT_EQ(bind_sources({"run", "-v"}), path_list{});
  EXPECT_EQ(bind_sources({}), path_list{});
}

TEST(ComposeConfigWords, AreTheCallsOwnUpToItsVerb) {
  EXPECT_EQ(compose_config_words({"compose", "-f", "c.yml", "--profile=x", "up", "-d"}),
            (path_list{"compose", "-f", "c.yml", "--profile=x", "config", "--format", "json"}));
  EXPECT_EQ(compose_config_words({"compose", "ps"}), std::nullopt);
  EXPECT_EQ(compose_config_words({"compose"}), std::nullopt);
  EXPECT_EQ(compose_config_words({"run", "up"}), std::nullopt);
}

TEST(ComposeSources, AreBindsSecretsAndConfigs) {
  const auto model = parsed_json::parse(R"({"services":{"a":{"volumes":[{"type":"bind","source":"/b","target":"/w"},
    {"type":"volume","source":"v"}]},"c":{"volumes":[{"type":"bind","source":"/b"}]},"d":{}},
    "secrets":{"s":{"file":"/s"},"e":{"environment":"E"}},"configs":{"c":{"file":"/c"}}})");
  ASSERT_TRUE(model);
  EXPECT_EQ(compose_sources(model->root()), (path_list{"/b", "/c", "/s"}));
}

}  // namespace
}  // namespace berth::cli

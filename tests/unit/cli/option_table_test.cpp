// SPDX-License-Identifier: Apache-2.0
// Every flag of options/*.toml is one of its verb's, and every option of these verbs is in options/*.toml.
#include "capture.hpp"

#include <run/run_options.hpp>

#include <berth/base/hints.hpp>

#include <map>
#include <set>

namespace berth::cli {
namespace {

std::set<std::string> flags_in(const std::string& help) {
  std::set<std::string> out;
  for (std::size_t at = 0; (at = help.find("\n  -", at)) != std::string::npos; ++at) {
    const std::string names = help.substr(at + 3, help.find_first_of(" \n", at + 3) - at - 3);
    std::string_view left = names;
    while (!left.empty()) {
      const std::string_view name = left.substr(0, left.find(','));
      if (name.starts_with("--")) out.emplace(name);
      left.remove_prefix(std::min(left.size(), name.size() + 1));
    }
  }
  return out;
}

// The verbs whose options are those of a set.
std::vector<std::vector<std::string>> verbs_of(std::string_view set) {
  if (set == "sandbox" || set == "docker" || set == "run") return {{"run"}};
  if (set == "terminate") return {{"rm"}};
  if (set == "exec" || set == "exec_verb") return {{"exec"}};
  if (set == "recipe" || set == "spec_verb") return {{"spec", "docker"}};
  std::vector<std::vector<std::string>> out;
  for (const char* verb : {"run", "create", "start", "exec", "kill", "delete", "state", "list", "wait", "pause",
                           "resume", "checkpoint", "restore", "events", "ps", "fscheckpoint", "tar"})
    out.push_back({"runsc", verb});
  return out;
}

TEST(OptionTable, IsWhatTheVerbsTake) {
  std::map<std::vector<std::string>, std::set<std::string>> taken, known;
  ASSERT_GT(flag_rows().size(), 80u);
  for (const flag_row& row : flag_rows()) {
    const std::string_view set = row.key.substr(0, row.key.find('.'));
    std::set<std::string> names;
    std::string_view left = row.names;
    while (!left.empty()) {
      const std::string_view name = left.substr(0, left.find(','));
      if (name.starts_with("--")) names.emplace(name);
      left.remove_prefix(std::min(left.size(), name.size() + 1));
    }
    bool is_there = false;
    for (std::vector<std::string> verb : verbs_of(set)) {
      auto& has = taken[verb];
      if (has.empty()) {
        std::vector<std::string> words = verb;
        words.push_back("--help");
        has = flags_in(test::run(words).out);
        ASSERT_FALSE(has.empty()) << verb.back();
      }
      bool all = true;
      for (const std::string& name : names) all = all && has.contains(name);
      is_there = is_there || all;
      known[verb].insert(names.begin(), names.end());
    }
    EXPECT_TRUE(is_there) << row.key << " " << row.names;
  }
  const std::set<std::string> common = {"--help",       "--json", "--verbose", "--quiet",
                                        "--log-format", "--root", "--runsc"};
  for (const auto& [verb, has] : taken)
    for (const std::string& name : has) {
      // exec takes what run takes of these, too.
      const bool shared = verb.back() == "exec" && (name == "--env" || name == "--env-file");
      EXPECT_TRUE(common.contains(name) || shared || known[verb].contains(name)) << verb.back() << " " << name;
    }
}

TEST(OptionTable, TellsTheDefaultsThatTheCommandHas) {
  const run_call usual;
  const auto expect_default = [](std::string_view key, const std::string& value) {
    EXPECT_NE(find_flag(key).help.find("(default: " + value + ")"), std::string_view::npos) << key << " " << value;
  };
  expect_default("sandbox.network", usual.network);
  expect_default("sandbox.cwd", usual.cwd);
  expect_default("sandbox.max_connections", std::to_string(default_max_connections));
  expect_default("docker.ready_timeout_ms", usual.timeout);
  expect_default("docker.cgroup", usual.cgroup);
  expect_default("docker.data_root", usual.data_root);
  expect_default("docker.restart", usual.restart);
  EXPECT_EQ(
      usual.timeout,
      std::to_string(std::chrono::duration_cast<std::chrono::seconds>(supervisor_options().ready_timeout).count()));
  EXPECT_THROW(find_flag("sandbox.colour"), std::logic_error);
}

TEST(Hints, AreSaidInTheCommandsWords) {
  EXPECT_EQ(in_own_words("choose another id, or " + hints::remove_sandbox("web-1.2")),
            "choose another id, or remove it: berth rm web-1.2");
  EXPECT_EQ(in_own_words("WRN left alone id=a remedy=\"" + hints::remove_sandbox("a") + "\""),
            "WRN left alone id=a remedy=\"remove it: berth rm a\"");
  EXPECT_EQ(in_own_words(hints::with_docker() + "; " + hints::collect_garbage()),
            "make it with --docker; collect garbage (berth gc)");
  EXPECT_EQ(in_own_words("remove the sandbox , and more"), "remove the sandbox , and more");
  EXPECT_EQ(in_own_words("remove the sandbox "), "remove the sandbox ");
  EXPECT_EQ(in_own_words(""), "");
}

}  // namespace
}  // namespace berth::cli

// SPDX-License-Identifier: Apache-2.0
// `berth runsc VERB` against the golden argument vectors: whatever the library can put into one, the command can.
#include "capture.hpp"

#include <berth/spec/detail/document.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

namespace berth::cli {
namespace {

namespace fs = std::filesystem;

class RunscVerb : public testing::Test {
 protected:
  // A stand-in for the binary, which answers as release-20260701.0 did.
  RunscVerb() {
    std::string pattern = testing::TempDir() + "berth-runsc-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    const std::string texts = std::string(BERTH_TEST_DATA) + "/golden/runsc/binaries/20260701/";
    std::ofstream(directory_ + "/runsc")
        << "#!/bin/sh\ncd '" << texts
        << "'\ncase \"$1 $2\" in\n--version*) exec cat version.txt ;;\n"
           "flags*) exec cat flags.txt ;;\n"
           "'help ') exec cat help.txt ;;\nhelp*) exec cat \"help-$2.txt\" ;;\nesac\nexit 1\n";
    fs::permissions(directory_ + "/runsc", fs::perms::owner_all);
  }
  ~RunscVerb() override { fs::remove_all(directory_); }

  test::outcome run(std::vector<std::string> words) const {
    words.insert(words.begin(), {"--root", directory_ + "/root", "--runsc", directory_ + "/runsc", "runsc"});
    return test::run(words);
  }

  static std::vector<std::string> words_of(const std::string& json) {
    detail::json_document document;
    const auto parsed = document.parse("{\"v\":" + json + "}");
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().to_string()) << json;
    const auto* list = detail::find_member(&document.root, "v");
    return list == nullptr ? std::vector<std::string>() : detail::string_list(list);
  }

  std::string directory_;
};

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The golden vector's words as the command takes them: a word is its own, but for those that berth has another name for.
std::vector<std::string> command_words(const std::vector<std::string>& argv) {
  std::vector<std::string> globals, options, behind;
  std::size_t i = 1;
  for (; argv[i].starts_with("--"); ++i) {
    const std::string name = argv[i].substr(0, argv[i].find('='));
    const std::string value = name == argv[i] ? "" : argv[i].substr(name.size());
    static const std::map<std::string, std::string> renamed = {
        {"--root", "--state-root"},
        {"--log-format", "--runsc-log-format"},
        {"--allow-packet-socket-write", "--packet-socket-write"}};
    const auto other = renamed.find(name);
    if (name == "--strace" || name == "--watchdog-action") globals.push_back("--global-arg=" + argv[i]);
    else if (other != renamed.end()) globals.push_back(other->second + value);
    else if (value.empty() && name != "--net-raw" && name != "--debug") globals.push_back(name + "=true");
    else globals.push_back(argv[i]);
  }
  const std::string verb = argv[i++];
  if (verb == "tar") ++i;  // rootfs-upper
  for (; i < argv.size() && argv[i].starts_with("--"); ++i) {
    if (argv[i] == "--format=json") continue;  // unless --table is given
    options.push_back(argv[i] == "--quiet" ? "--ids" : argv[i]);
  }
  std::string id;
  if (i < argv.size()) id = argv[i++];
  if (verb == "kill") options.push_back("--signal=" + argv[i++]);
  if (i < argv.size()) behind.push_back("--");
  behind.insert(behind.end(), argv.begin() + static_cast<std::ptrdiff_t>(i), argv.end());
  std::vector<std::string> all{verb};
  all.insert(all.end(), globals.begin(), globals.end());
  all.insert(all.end(), options.begin(), options.end());
  if (!id.empty()) all.push_back(id);
  all.insert(all.end(), behind.begin(), behind.end());
  return all;
}

TEST_F(RunscVerb, CanPutInWhateverTheLibraryCan) {
  std::size_t compared = 0;
  for (const auto& entry : fs::directory_iterator(std::string(BERTH_TEST_DATA) + "/golden/runsc")) {
    const std::string name = entry.path().stem();
    if (!entry.is_regular_file() || name == "docker-20221219" || name == "docker-20240729") continue;  // older releases
    std::vector<std::string> wanted = words_of(read(entry.path()));
    ASSERT_GT(wanted.size(), 2u) << name;
    std::vector<std::string> given = wanted;
    // The options in front of the verb are a vector of their own there.
    if (name == "globals") given.push_back("list"), wanted.insert(wanted.end(), {"list", "--format=json"});
    const test::outcome got = run(command_words(given));
    ASSERT_EQ(got.code, 0) << name << ": " << got.err;
    wanted[0] = directory_ + "/runsc";
    EXPECT_EQ(words_of(got.out), wanted) << name;
    ++compared;
  }
  EXPECT_GE(compared, 20u);
}

TEST_F(RunscVerb, ListIsATableWhereThatIsAsked) {
  const test::outcome got = run({"list", "--table", "--state-root", "/s"});
  ASSERT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(words_of(got.out), (std::vector<std::string>{directory_ + "/runsc", "--root=/s", "list"}));
}

TEST_F(RunscVerb, BadDescriptorsAndSwitchesAreUsageErrors) {
  for (const char* fd : {"3", "3:", ":3", "3:x", "a:b", "3:3:3", "99999999999:1"}) {
    const test::outcome got = run({"exec", "--pass-fd", fd, "box", "--", "true"});
    EXPECT_EQ(got.code, 2) << fd;
    EXPECT_NE(got.err.find("--pass-fd"), std::string::npos) << got.err;
  }
  EXPECT_EQ(run({"list", "--directfs", "maybe"}).code, 2);
  EXPECT_EQ(run({"exec", "--additional-gids", "-1", "box", "--", "true"}).code, 2);
}

}  // namespace
}  // namespace berth::cli

// SPDX-License-Identifier: Apache-2.0
// berth_runsc and berth_argv, from the texts that real binaries printed.
#include "support.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace capi_test {

static std::string json_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// A binary's own words are short here; tests/golden/runsc has the whole ones for the layer beneath.
static const std::string flags_text =
    "Usage of /usr/bin/runsc:\n"
    "  -debug-log string\n    \tadditional location for logs.\n"
    "  -host-uds value\n    \tcontrols access. (default none)\n"
    "  -net-raw\n    \tenable raw sockets.\n"
    "  -network value\n    \tspecifies which network to use. (default sandbox)\n"
    "  -allow-packet-socket-write\n    \tallow writes.\n"
    "  -root string\n    \troot directory.\n";

class ArgvTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string help_run = "Usage: run\n  -bundle string\n    \tpath\n  -detach\n    \tdetach\n";
    const std::string help_exec =
        "Usage: exec\n  -cwd string\n    \tcwd\n  -env value\n    \tenv\n  -user value\n    \tuser\n";
    const std::string texts =
        "{\"version\":\"runsc version release-20260701.0\\nspec: 1.2.1\\n\",\"flags\":" + json_text(flags_text) +
        ",\"verbs\":" + json_text("Subcommands:\n\texec             x\n\trun              x\n") +
        ",\"help\":{\"run\":" + json_text(help_run) + ",\"exec\":" + json_text(help_exec) + "}}";
    ASSERT_EQ(berth_runsc_from_text("/usr/bin/runsc", 14, texts.data(), texts.size(), runsc.slot(), error.slot()),
              BERTH_OK)
        << error.text();
  }
  berth_status build(std::string_view verb, std::string_view options) {
    argv.free();
    return berth_argv_build(runsc.get(), verb.data(), verb.size(), options.data(), options.size(), argv.slot(),
                            error.slot());
  }
  std::string json() {
    berth_buffer* out = nullptr;
    EXPECT_EQ(berth_argv_to_json(argv.get(), &out, error.slot()), BERTH_OK);
    return take(out);
  }
  Runsc runsc;
  Argv argv;
  Error error;
};

TEST_F(ArgvTest, run) {
  ASSERT_EQ(build("run", R"({"globals":{"root":"/run/x","debug_log":"/run/x/log","network":"sandbox","net_raw":true,)"
                         R"("host_uds":"create","packet_socket_write":true},"id":"box","bundle":"/b","detach":true})"),
            BERTH_OK)
      << error.text();
  EXPECT_EQ(json(), R"(["/usr/bin/runsc","--root=/run/x","--debug-log=/run/x/log/","--network=sandbox","--net-raw",)"
                    R"("--allow-packet-socket-write","--host-uds=create","run","--bundle=/b","--detach","box"])");
  EXPECT_EQ(berth_argv_count(argv.get()), 11u);
  EXPECT_STREQ(berth_argv_peek(argv.get(), 0), "/usr/bin/runsc");
  EXPECT_STREQ(berth_argv_peek(argv.get(), 10), "box");
  EXPECT_EQ(berth_argv_peek(argv.get(), 11), nullptr);
}

TEST_F(ArgvTest, exec) {
  ASSERT_EQ(build("exec", R"({"globals":{"root":"/r"},"id":"box","command":["ls","-l"],"cwd":"/srv","env":{"A":"b c"},)"
                          R"("user":"1:2"})"),
            BERTH_OK)
      << error.text();
  const std::string line = json();
  EXPECT_NE(line.find(R"("--cwd=/srv")"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("--env=A=b c")"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("box","ls","-l"])"), std::string::npos) << line;
}

TEST_F(ArgvTest, what_the_binary_lacks_is_refused) {
  EXPECT_EQ(
      build("run", R"({"globals":{"root":"/r","debug_log":"/d","mount_cgroup_v2":true},"id":"box","bundle":"/b"})"),
      BERTH_E_RUNSC_FLAG_UNSUPPORTED);
  EXPECT_NE(error.text().find("20260810"), std::string::npos) << "names the release that brought it: " << error.text();
  EXPECT_EQ(argv.get(), nullptr);
  EXPECT_EQ(build("checkpoint", R"({"globals":{"root":"/r"},"id":"box","image_path":"/i"})"),
            BERTH_E_RUNSC_FLAG_UNSUPPORTED)
      << error.text();
}

TEST_F(ArgvTest, options_are_checked) {
  EXPECT_EQ(build("fly", "{}"), BERTH_E_INVALID);
  EXPECT_EQ(build("run", R"({"bundel":"/b"})"), BERTH_E_INVALID);
  EXPECT_EQ(error.path(), "/bundel");
  EXPECT_NE(error.hint().find("did you mean bundle?"), std::string::npos) << error.hint();
  EXPECT_EQ(build("run", R"({"globals":{"netraw":true}})"), BERTH_E_INVALID);
  EXPECT_EQ(error.path(), "/globals/netraw");
  EXPECT_NE(error.hint().find("did you mean net_raw?"), std::string::npos) << error.hint();
  EXPECT_EQ(build("run", R"({"globals":{"root":"/r","network":"wifi"},"id":"x","bundle":"/b"})"), BERTH_E_INVALID);
  EXPECT_NE(error.message().find("\"sandbox\", \"none\" or \"host\""), std::string::npos) << error.message();
  EXPECT_LT(build("run", R"({"globals":{"root":"/r","debug_log":"/d"},"id":"../x","bundle":"/b"})"), 0);
  EXPECT_LT(build("run", R"({"globals":{"root":"relative","debug_log":"/d"},"id":"x","bundle":"/b"})"), 0);
}

// The C ABI had no tar, though the library and the command have.
TEST_F(ArgvTest, tar_is_a_verb_too) {
  EXPECT_EQ(build("tar", R"({"globals":{"root":"/r"},"id":"x","file":"/f"})"), BERTH_E_RUNSC_FLAG_UNSUPPORTED)
      << error.text();
  EXPECT_EQ(build("tar", R"({"globals":{"root":"/r"},"id":"x","bundle":"/b"})"), BERTH_E_INVALID);
  EXPECT_EQ(error.path(), "/bundle");
  for (const char* none : {"place", "globals", "texts", "pass_fd", ""}) EXPECT_EQ(build(none, "{}"), BERTH_E_INVALID);
}

TEST_F(ArgvTest, flags) {
  std::int32_t has = 7;
  EXPECT_EQ(berth_runsc_has(runsc.get(), "", 0, "net-raw", 7, &has, nullptr), BERTH_OK);
  EXPECT_EQ(has, 1);
  EXPECT_EQ(berth_runsc_has(runsc.get(), nullptr, 0, "kvm", 3, &has, nullptr), BERTH_OK);
  EXPECT_EQ(has, 0);
  EXPECT_EQ(berth_runsc_has(runsc.get(), "run", 3, "detach", 6, &has, nullptr), BERTH_OK);
  EXPECT_EQ(has, 1);
  EXPECT_EQ(berth_runsc_has(runsc.get(), "restore", 7, nullptr, 0, &has, nullptr), BERTH_OK);
  EXPECT_EQ(has, 0);
  EXPECT_EQ(berth_runsc_has(runsc.get(), "", 0, "", 0, &has, nullptr), BERTH_E_INVALID);
  berth_buffer* out = nullptr;
  ASSERT_EQ(berth_runsc_to_json(runsc.get(), &out, nullptr), BERTH_OK);
  const std::string all = take(out);
  EXPECT_NE(all.find(R"("date":20260701)"), std::string::npos) << all;
  EXPECT_NE(all.find(R"("packet_write_flag":"allow-packet-socket-write")"), std::string::npos) << all;
  EXPECT_NE(all.find(R"({"name":"net-raw","value":"","default":"","no_effect":false})"), std::string::npos) << all;
}

TEST_F(ArgvTest, what_a_release_mended_is_no_cause_of_a_failure_on_it) {
  const std::string_view said =
      "\x1b[1munable to remove container's cgroup: Failed to remove paths\n\xff\ncannot toggle freezer: cgroups not configured "
      "for container\n";
  const auto found = [&](const berth_runsc* binary) {
    berth_buffer* out = nullptr;
    EXPECT_EQ(berth_docker_diagnose(said.data(), said.size(), binary, &out, error.slot()), BERTH_OK) << error.text();
    return take(out);
  };
  const std::string any = found(nullptr), here = found(runsc.get());
  EXPECT_NE(any.find(R"("id":"BERTH-CGROUP-REMOVE")"), std::string::npos) << any;
  EXPECT_NE(any.find(R"("evidence":" [1munable to remove)"), std::string::npos) << any;
  EXPECT_EQ(here.find("BERTH-CGROUP-REMOVE"), std::string::npos) << here;
  EXPECT_EQ(here.find(R"([{"id":"BERTH-FREEZER","cause":"gVisor's cgroups have no freezer)"), 0u) << here;
  berth_buffer* out = nullptr;
  ASSERT_EQ(berth_docker_diagnose(nullptr, 0, nullptr, &out, nullptr), BERTH_OK);
  EXPECT_EQ(take(out), "[]");
  EXPECT_EQ(berth_docker_diagnose(nullptr, 1, nullptr, &out, nullptr), BERTH_E_INVALID);
  EXPECT_EQ(berth_docker_diagnose("", 0, nullptr, nullptr, nullptr), BERTH_E_INVALID);
}

// A binary of our own making: a shell script that prints what runsc prints.
TEST(runsc, probe_of_a_binary) {
  char name[] = "/tmp/berth-capi-XXXXXX";
  ASSERT_NE(mkdtemp(name), nullptr);
  const std::string dir = name;
  const std::string path = dir + "/runsc";
  {
    std::ofstream(path)
        << "#!/bin/sh\ncase \"$1\" in\n--version|-version) echo 'runsc version release-20260701.0';;\n"
           "flags) printf '  -root string\\n    \\troot directory.\\n  -net-raw\\n    \\traw\\n' >&2;;\n"
           "help) case \"$2\" in '') printf '\\trun              x\\n';; *) printf '  -detach\\n    \\tdetach\\n';; esac;;\n"
           "*) printf '  -detach\\n    \\tdetach\\n';;\nesac\n";
  }
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  const std::string cache = dir + "/cache";
  Error error;
  for (int i = 0; i < 2; ++i) {
    Runsc runsc;
    ASSERT_EQ(berth_runsc_probe(path.data(), path.size(), cache.data(), cache.size(), runsc.slot(), error.slot()),
              BERTH_OK)
        << error.text();
    std::int32_t has = 0;
    EXPECT_EQ(berth_runsc_has(runsc.get(), nullptr, 0, "net-raw", 7, &has, nullptr), BERTH_OK);
    EXPECT_EQ(has, 1);
  }
  const std::string absent = dir + "/none";
  Runsc none;
  EXPECT_EQ(berth_runsc_probe(absent.data(), absent.size(), nullptr, 0, none.slot(), error.slot()),
            BERTH_E_RUNSC_NOT_FOUND);
  std::filesystem::remove_all(dir);
}

}  // namespace capi_test

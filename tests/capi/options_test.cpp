// SPDX-License-Identifier: Apache-2.0
// What berth_options_json tells is what the functions take: every option is read, with its type, and has the default that it says.
#include "support.hpp"

#include <berth/docker/supervisor.hpp>
#include <berth/sandbox/config.hpp>
#include <berth/snapshot/snapshot.hpp>

#include <functional>

namespace capi_test {

static std::string told(std::string_view set) {
  Error error;
  berth_buffer* json = nullptr;
  EXPECT_EQ(berth_options_json(set.data(), set.size(), &json, error.slot()), BERTH_OK) << error.text();
  return take(json);
}

// The value of a key of flat JSON, as its text; empty: it is not there.
static std::string value_of(const std::string& object, const std::string& key) {
  const std::string mark = "\"" + key + "\":";
  std::size_t at = object.find(mark);
  if (at == std::string::npos) return {};
  at += mark.size();
  if (object[at] == '"') return object.substr(at, object.find('"', at + 1) + 1 - at);
  if (object[at] == '[') return object.substr(at, object.find(']', at) + 1 - at);
  return object.substr(at, object.find_first_of(",}", at) - at);
}

static std::vector<std::string> options_of(std::string_view set) {
  const std::string all = told(set);
  std::vector<std::string> out;
  std::size_t at = all.find("\"options\":[");
  while ((at = all.find("{\"name\":", at)) != std::string::npos) {
    const std::size_t end = all.find(",\"help\":", at);
    out.push_back(all.substr(at, end - at) + "}");
    at = end;
  }
  EXPECT_FALSE(out.empty()) << all;
  return out;
}

static std::string bare(std::string text) {
  if (text.size() > 1 && text.front() == '"') text = text.substr(1, text.size() - 2);
  return text;
}

static std::string wrong_for(const std::string& type) {
  if (type == "integer" || type == "number") return "-1000000";
  if (type == "string_or_object") return "\"no such word\"";
  return "7";
}

using call = std::function<berth_status(const std::string& options, Error& error)>;

// Each option of the set with a value of another type has to be complained of, and by its own pointer.
static void expect_read(std::string_view set, const std::string& before, const std::string& after,
                        const std::string& pointer, const call& use) {
  for (const std::string& option : options_of(set)) {
    const std::string name = bare(value_of(option, "name")), type = bare(value_of(option, "type"));
    if (type == "json") continue;  // nothing is wrong for it
    Error error;
    const std::string text = before + "\"" + name + "\":" + wrong_for(type) + after;
    EXPECT_EQ(use(text, error), BERTH_E_INVALID) << set << ": " << text << " " << error.text();
    EXPECT_EQ(error.path(), pointer + "/" + name) << text << " " << error.text();
    EXPECT_NE(error.message().find(" is wanted"), std::string::npos) << text << " " << error.text();
  }
}

class OptionsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(berth_loop_create(nullptr, &loop, error.slot()), BERTH_OK);
    ASSERT_EQ(berth_executor_create_host(loop, host.slot(), error.slot()), BERTH_OK);
  }
  void TearDown() override {
    host.free();
    berth_loop_free(loop);
  }
  berth_loop* loop = nullptr;
  Executor host;
  Error error;
  std::uint64_t op = 0;
};

TEST_F(OptionsTest, are_read_by_what_takes_them) {
  const call create = [&](const std::string& text, Error& e) {
    berth_sandbox* box = nullptr;
    return berth_sandbox_create(loop, nullptr, 0, text.data(), text.size(), nullptr, &box, &op, e.slot());
  };
  expect_read("sandbox", "{", "}", "", create);
  expect_read("mount", "{\"mounts\":[{", "}]}", "/mounts/0", create);
  expect_read("docker", "{\"docker\":{", "}}", "/docker", create);
  expect_read("where", "{", "}", "", [&](const std::string& text, Error& e) {
    berth_buffer* json = nullptr;
    return berth_snapshot_list(text.data(), text.size(), &json, e.slot());
  });
  expect_read("daemon", "{", "}", "", [&](const std::string& text, Error& e) {
    berth_daemon* daemon = nullptr;
    return berth_daemon_create(host.get(), text.data(), text.size(), 0, &daemon, e.slot());
  });
  Spec spec;
  ASSERT_EQ(berth_spec_parse("{}", 2, spec.slot(), error.slot()), BERTH_OK);
  expect_read("recipe", "{", "}", "", [&](const std::string& text, Error& e) {
    return berth_spec_apply_docker(spec.get(), text.data(), text.size(), nullptr, e.slot());
  });
  expect_read("spec_mount", "{", "}", "", [&](const std::string& text, Error& e) {
    return berth_spec_set_mount(spec.get(), text.data(), text.size(), e.slot());
  });
  expect_read("exec", "{", "}", "", [&](const std::string& text, Error& e) {
    return berth_exec_start(host.get(), text.data(), text.size(), nullptr, &op, e.slot());
  });
  const call poll = [&](const std::string& text, Error& e) {
    return berth_poll_start(loop, host.get(), text.data(), text.size(), nullptr, &op, e.slot());
  };
  expect_read("poll", "{\"probe\":{\"type\":\"connect\",\"unix\":\"/x\"},", "}", "",
              [&](const std::string& text, Error& e) {
                // The probe is there already: of two the text would be refused.
                const bool probe = text.find("\"probe\":7") != std::string::npos;
                return poll(probe ? "{\"probe\":7}" : text, e);
              });
  expect_read("schedule", "{\"probe\":{\"type\":\"connect\",\"unix\":\"/x\"},\"schedule\":{", "}}", "/schedule", poll);
  expect_read("probe", "{\"probe\":{", "}}", "/probe", [&](const std::string& text, Error& e) {
    if (text.find("\"type\"") != std::string::npos) return poll(text, e);
    berth_status got = BERTH_OK;
    for (const char* type : {"connect", "http", "command"}) {
      got = poll("{\"probe\":{\"type\":\"" + std::string(type) + "\"," + text.substr(text.find("{", 1) + 1), e);
      if (e.message().find("does not go with the others") == std::string::npos) break;
    }
    return got;
  });
  berth_sandbox* none = nullptr;
  ASSERT_EQ(berth_sandbox_attach(loop, nullptr, 0, "none", 4, nullptr, &none, &op, error.slot()), BERTH_OK);
  expect_read("terminate", "{", "}", "", [&](const std::string& text, Error& e) {
    return berth_sandbox_terminate(none, text.data(), text.size(), nullptr, &op, e.slot());
  });
  expect_read("commit", "{", "}", "", [&](const std::string& text, Error& e) {
    return berth_sandbox_commit(none, text.data(), text.size(), nullptr, &op, e.slot());
  });
  expect_read("start_detached", "{", "}", "", [&](const std::string& text, Error& e) {
    return berth_sandbox_start_detached(none, text.data(), text.size(), nullptr, &op, e.slot());
  });
  berth_sandbox_free(none);
  expect_read("runsc_place", "{", "}", "", [&](const std::string& text, Error& e) {
    Executor place;
    return berth_executor_create_runsc(loop, text.data(), text.size(), place.slot(), e.slot());
  });
  expect_read("runsc_texts", "{", "}", "", [&](const std::string& text, Error& e) {
    Runsc runsc;
    return berth_runsc_from_text("/r", 2, text.data(), text.size(), runsc.slot(), e.slot());
  });
}

// What a restored sandbox may have of its own is what the table says, and nothing else.
TEST_F(OptionsTest, of_a_snapshot_are_refused_beside_it) {
  int own = 0;
  for (const std::string& option : options_of("sandbox")) {
    const std::string name = bare(value_of(option, "name")), type = bare(value_of(option, "type"));
    if (name == "snapshot") continue;
    const bool restored = value_of(option, "restored") == "true";
    own += restored ? 1 : 0;
    const std::string text = R"({"snapshot":"warm",")" + name + "\":" + (type == "json" ? "{}" : wrong_for(type)) + "}";
    berth_sandbox* box = nullptr;
    EXPECT_EQ(berth_sandbox_create(loop, nullptr, 0, text.data(), text.size(), nullptr, &box, &op, error.slot()),
              BERTH_E_INVALID);
    EXPECT_EQ(error.path(), "/" + name) << error.text();
    EXPECT_EQ(error.message().find("leave it out") == std::string::npos, restored) << text << " " << error.text();
  }
  EXPECT_EQ(own, 13);
  for (const char* network : {"sandbox", "none"}) {
    const std::string text = R"({"snapshot":"warm","network":")" + std::string(network) + "\"}";
    berth_sandbox* box = nullptr;
    EXPECT_EQ(berth_sandbox_create(loop, nullptr, 0, text.data(), text.size(), nullptr, &box, &op, error.slot()),
              BERTH_E_INVALID);
    EXPECT_NE(error.message().find("leave it out"), std::string::npos) << error.text();
  }
}

TEST_F(OptionsTest, of_runsc_are_read_by_each_verb) {
  Runsc runsc;
  const std::string texts =
      R"({"version":"runsc version release-20260701.0\n","flags":"Usage:\n  -root string\n    \td\n",)"
      R"("verbs":"Subcommands:\n\texec             x\n"})";
  ASSERT_EQ(berth_runsc_from_text("/r", 2, texts.data(), texts.size(), runsc.slot(), error.slot()), BERTH_OK)
      << error.text();
  int verbs = 0;
  const std::string sets = told("");
  for (std::size_t at = 0; (at = sets.find("\"runsc_", at)) != std::string::npos; at += 7) {
    const std::string set = sets.substr(at + 1, sets.find('"', at + 1) - at - 1), verb = set.substr(6);
    if (verb == "texts" || verb == "place" || verb == "globals" || verb == "pass_fd") continue;
    ++verbs;
    const call build = [&](const std::string& text, Error& e) {
      Argv argv;
      return berth_argv_build(runsc.get(), verb.data(), verb.size(), text.data(), text.size(), argv.slot(), e.slot());
    };
    expect_read(set, "{", "}", "", build);
    if (verb == "run") expect_read("runsc_pass_fd", "{\"pass_fds\":[{", "}]}", "/pass_fds/0", build);
    if (verb == "ps") expect_read("runsc_globals", "{\"globals\":{", "}}", "/globals", build);
  }
  EXPECT_EQ(verbs, 17);
}

TEST_F(OptionsTest, one_that_is_none_is_told_what_was_meant) {
  const auto hint_for = [&](const std::string& text) {
    berth_sandbox* box = nullptr;
    EXPECT_EQ(berth_sandbox_create(loop, nullptr, 0, text.data(), text.size(), nullptr, &box, &op, error.slot()),
              BERTH_E_INVALID);
    return error.path() + ": " + error.hint().substr(0, error.hint().find('?'));
  };
  EXPECT_EQ(hint_for(R"({"hostnam":"x"})"), "/hostnam: did you mean hostname");
  EXPECT_EQ(hint_for(R"({"memory":1})"), "/memory: did you mean memory_bytes");
  EXPECT_EQ(hint_for(R"({"mounts":[{"readonly":true}]})"), "/mounts/0/readonly: did you mean read_only");
  EXPECT_EQ(hint_for(R"({"docker":{"data-root":"tmpfs"}})"), "/docker/data-root: did you mean data_root");
  EXPECT_EQ(hint_for(R"({"colour":"red"})").find("did you mean"), std::string::npos);
  EXPECT_EQ(hint_for("{\"" + std::string(5000, 'x') + "\":1}").find("did you mean"), std::string::npos);
}

TEST_F(OptionsTest, are_told_of_sets_that_there_are) {
  EXPECT_NE(told("").find(R"("where","mount","sandbox")"), std::string::npos) << told("");
  berth_buffer* json = nullptr;
  EXPECT_EQ(berth_options_json("no such", 7, &json, error.slot()), BERTH_E_NOT_FOUND);
  EXPECT_EQ(json, nullptr);
  EXPECT_EQ(berth_options_json("", 0, nullptr, error.slot()), BERTH_E_INVALID);
  EXPECT_NE(
      told("sandbox").find(
          R"({"name":"cpus","type":"number","least":0,"most":4096,"default":0,"needed":false,"since":"0.1","help":")"),
      std::string::npos)
      << told("sandbox");
}

TEST_F(OptionsTest, of_a_structure_begin_as_its_macro_and_its_function_say) {
  const berth_loop_options loop_macro = BERTH_LOOP_OPTIONS_INIT;
  const berth_op_options op_macro = BERTH_OP_OPTIONS_INIT;
  berth_loop_options loop_made;
  berth_op_options op_made;
  berth_loop_options_init(&loop_made, sizeof loop_made);
  berth_op_options_init(&op_made, sizeof op_made);
  EXPECT_EQ(std::memcmp(&loop_macro, &loop_made, sizeof loop_made), 0);
  EXPECT_EQ(std::memcmp(&op_macro, &op_made, sizeof op_made), 0);
  EXPECT_NE(told("op_options").find("\"deadline_ns\""), std::string::npos);
  EXPECT_NE(told("loop_options").find("\"output_limit\""), std::string::npos);
}

// ---- The defaults, against those of the library's structures. ----

static std::string default_of(std::string_view set, const std::string& option) {
  for (const std::string& one : options_of(set))
    if (bare(value_of(one, "name")) == option) return value_of(one, "default");
  return "no such option";
}
static std::string as_json(bool b) { return b ? "true" : "false"; }
static std::string as_json(const std::string& s) { return "\"" + s + "\""; }
static std::string as_json(double n) { return std::to_string(static_cast<long>(n)); }
static std::string as_json(berth::duration d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
}

TEST_F(OptionsTest, have_the_defaults_of_the_library) {
  const berth::sandbox_config box;
  EXPECT_EQ(default_of("sandbox", "cpus"), as_json(box.cpus));
  EXPECT_EQ(default_of("sandbox", "memory_bytes"), as_json(static_cast<double>(box.memory_bytes)));
  EXPECT_EQ(default_of("sandbox", "cwd"), as_json(box.cwd));
  EXPECT_EQ(default_of("sandbox", "net_raw"), as_json(box.net_raw));
  EXPECT_EQ(default_of("sandbox", "packet_socket_write"), as_json(box.packet_socket_write));
  EXPECT_EQ(default_of("sandbox", "shared_directory"), as_json(box.shared_directory));
  EXPECT_EQ(default_of("sandbox", "ends_with_creator"), as_json(box.watch_creator));
  EXPECT_EQ(default_of("sandbox", "create_timeout_ms"), as_json(box.create_timeout));
  EXPECT_EQ(default_of("sandbox", "max_connections"), as_json(double{berth::default_max_connections}));
  EXPECT_EQ(default_of("mount", "read_only"), as_json(berth::sandbox_mount().read_only));
  const berth::environment where;
  EXPECT_EQ(default_of("where", "root"), as_json(where.root));
  EXPECT_EQ(default_of("where", "network_pool"), as_json(where.network_pool));
  EXPECT_EQ(default_of("snapshot", "leave_running"), as_json(berth::snapshot_options().leave_running));
  const berth::docker_recipe recipe;
  EXPECT_EQ(default_of("recipe", "data_root_path"), as_json(recipe.data_root_path));
  EXPECT_EQ(default_of("recipe", "raise_limits"), as_json(recipe.raise_limits));
  for (const char* set : {"daemon", "docker"}) {
    const berth::supervisor_options docker;
    EXPECT_EQ(default_of(set, "ready_timeout_ms"), as_json(docker.ready_timeout));
    EXPECT_EQ(default_of(set, "restart_limit"), as_json(static_cast<double>(docker.restart.limit)));
    EXPECT_EQ(default_of(set, "restart_first_pause_ms"), as_json(docker.restart.first_pause));
    EXPECT_EQ(default_of(set, "restart_max_pause_ms"), as_json(docker.restart.max_pause));
    EXPECT_EQ(default_of(set, "restart_settle_ms"), as_json(docker.restart.settle));
    EXPECT_EQ(default_of(set, "stop_containers_timeout_ms"), as_json(docker.stop_containers_timeout));
    EXPECT_EQ(default_of(set, "term_timeout_ms"), as_json(docker.term_timeout));
    EXPECT_EQ(default_of(set, "kill_timeout_ms"), as_json(docker.kill_timeout));
    EXPECT_EQ(default_of(set, "snat"), as_json(docker.plan.snat));
    EXPECT_EQ(default_of(set, "sockets"), "[" + as_json(docker.plan.sockets.at(0)) + "]");
    EXPECT_EQ(default_of(set, "data_root_path"), as_json(docker.plan.data_root));
    EXPECT_EQ(default_of(set, "data_root_mounted"), as_json(docker.plan.data_root_mounted));
    EXPECT_EQ(default_of(set, "dockerd"), as_json(docker.plan.dockerd));
  }
  EXPECT_EQ(default_of("schedule", "factor"), "1.5");
  EXPECT_EQ(berth::probe_schedule::cheap().factor, 1.5);
  EXPECT_EQ(berth::probe_schedule::costly().factor, 1.5);
  EXPECT_EQ(default_of("schedule", "jitter"), "0.1");
  EXPECT_EQ(berth::probe_schedule::costly().jitter, 0.1);
}

}  // namespace capi_test

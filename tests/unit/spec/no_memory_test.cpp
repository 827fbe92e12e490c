// SPDX-License-Identifier: Apache-2.0
// The N-th allocation fails, for every N: the spec layer says no_memory (or throws bad_alloc where its result is no
// `result`), leaks nothing and leaves the document as it was.
#include <berth/spec/spec.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <new>
#include <utility>
#include <string>

#include <unistd.h>

namespace {

thread_local long fail_in = -1;  // -1: never
thread_local bool failed = false;
thread_local long live = 0;

void* counted_allocation(std::size_t size) {
  if (fail_in == 0) {
    failed = true;  // and so will all further ones
    throw std::bad_alloc();
  }
  if (fail_in > 0) --fail_in;
  void* const block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) throw std::bad_alloc();
  ++live;
  return block;
}

void counted_free(void* block) noexcept {
  if (block == nullptr) return;
  --live;
  std::free(block);
}

}  // namespace

// Everything that the layer allocates goes through these: its strings and vectors, the arena, rapidjson's stack.
void* operator new(std::size_t size) { return counted_allocation(size); }
void* operator new[](std::size_t size) { return counted_allocation(size); }
void operator delete(void* block) noexcept { counted_free(block); }
void operator delete[](void* block) noexcept { counted_free(block); }
void operator delete(void* block, std::size_t) noexcept { counted_free(block); }
void operator delete[](void* block, std::size_t) noexcept { counted_free(block); }

namespace berth {
namespace {

std::string fixture() {
  std::ifstream in(std::string(BERTH_TEST_DATA) + "/golden/spec/containerd-14k.json", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Runs `what` with every N-th allocation failing until it succeeds; all further ones fail too, as when memory is out.
/// Returns the number of failing runs.
long for_every_failure(const std::function<result<void>()>& what, const std::function<void()>& check) {
  for (long n = 0;; ++n) {
    const long before = live;
    failed = false;
    fail_in = n;
    bool no_memory = false;
    bool succeeded = false;
    {
      const result<void> outcome = what();
      fail_in = -1;
      succeeded = outcome.has_value();
      no_memory = !succeeded && outcome.error().code == errc::no_memory;
    }
    EXPECT_EQ(live, before) << "leak when allocation " << n << " fails";
    if (!failed) {
      EXPECT_TRUE(succeeded);
      return n;
    }
    EXPECT_TRUE(no_memory) << "allocation " << n << " failed, and the outcome was another";
    check();
    if (testing::Test::HasFailure() || n > 100000) return n;
  }
}

TEST(NoMemory, Parse) {
  const std::string json = fixture();
  const long failures = for_every_failure(
      [&]() -> result<void> {
        result<spec_builder> spec = spec_builder::parse(json);
        if (!spec) return std::move(spec).error();
        return {};
      },
      [] {});
  EXPECT_GT(failures, 3);
}

TEST(NoMemory, ParseOfWhatIsRefused) {
  // The error is made with memory that is not there: no_memory, or, once there is enough, the error itself.
  const std::string json = R"({"linux":{"seccomp":{"Syscalls":[]}},"annotations":{"a":"1"}})";
  bool refused = false;
  for (long n = 0; !refused && n < 1000; ++n) {
    const long before = live;
    fail_in = n;
    {
      const result<spec_builder> spec = spec_builder::parse(json);
      fail_in = -1;
      ASSERT_FALSE(spec);
      refused = spec.error().code == errc::spec_key_case;
      if (!refused) {
        ASSERT_EQ(spec.error().code, errc::no_memory) << n;
      }
    }
    ASSERT_EQ(live, before) << n;
  }
  EXPECT_TRUE(refused);
}

TEST(NoMemory, EveryMutationIsUndone) {
  const std::string json = fixture();
  const std::string_view capabilities[] = {"SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE"};
  const std::string_view present[] = {"KILL", "CHOWN"};
  const std::string long_value(100, 'v');
  const std::vector<std::string> args{"/a/program/with/a/long/path", "second"};
  const std::pair<const char*, spec_mutation> mutations[] = {
      {"set_args", [&](spec_builder& s) { return spec_process(s).set_args(args); }},
      {"set_user", [&](spec_builder& s) { return spec_process(s).set_user(7, 8); }},
      {"add_group", [&](spec_builder& s) { return spec_process(s).add_group(77); }},
      {"clear_args", [&](spec_builder& s) { return spec_process(s).clear_args(); }},
      {"capabilities_add", [&](spec_builder& s) { return spec_capabilities(s).add(capabilities); }},
      {"capabilities_set",
       [&](spec_builder& s) { return spec_capabilities(s).set(capabilities, capability_sets::all); }},
      {"capabilities_remove", [&](spec_builder& s) { return spec_capabilities(s).remove(present); }},
      {"mounts_set",
       [&](spec_builder& s) {
         return spec_mounts(s).set({"/sys/fs/cgroup", "cgroup", "cgroup", {"rw"}});
       }},
      {"mounts_set_new",
       [&](spec_builder& s) {
         return spec_mounts(s).set({"/mnt", "tmpfs", long_value, {"rw"}});
       }},
      {"mounts_remove", [&](spec_builder& s) { return spec_mounts(s).remove("/mnt/volume-3"); }},
      {"env_set", [&](spec_builder& s) { return spec_env(s).set("PATH", long_value); }},
      {"env_remove", [&](spec_builder& s) { return spec_env(s).remove("PATH"); }},
      {"rlimits_set",
       [&](spec_builder& s) {
         return spec_rlimits(s).set({"RLIMIT_CORE", 0, 0});
       }},
      {"annotations_set", [&](spec_builder& s) { return spec_annotations(s).set(long_value, long_value); }},
      {"namespaces_set",
       [&](spec_builder& s) {
         return spec_namespaces(s).set({"network", "/run/netns/" + long_value});
       }},
      {"resources", [&](spec_builder& s) { return spec_resources(s).set_memory_limit(1 << 30); }},
      {"unified", [&](spec_builder& s) { return spec_resources(s).set_unified("memory.high", long_value); }},
      {"hostname", [&](spec_builder& s) { return spec_hostname(s).set("another-name-that-is-long"); }},
      {"root", [&](spec_builder& s) { return spec_root(s).set_path("/" + long_value); }},
      {"seccomp_set",
       [&](spec_builder& s) { return spec_seccomp(s).set(R"({"defaultAction":"SCMP_ACT_ALLOW","x":[1]})"); }},
      {"seccomp_add", [&](spec_builder& s) { return spec_seccomp(s).add({"mount"}, "SCMP_ACT_ALLOW"); }},
      {"seccomp_remove", [&](spec_builder& s) { return spec_seccomp(s).remove("read"); }},
  };
  for (const auto& [name, mutation] : mutations) {
    SCOPED_TRACE(name);
    // Each attempt on a document of its own, so that memory from an attempt before does not help the next.
    long failures = -1;
    for (long n = 0; failures < 0; ++n) {
      spec_builder spec = spec_builder::parse(json).value();
      const std::string before_json = spec.to_json();
      ASSERT_EQ(before_json, json);
      failed = false;
      fail_in = n;
      bool ok = false;
      bool no_memory = false;
      try {
        const result<void> outcome = mutation(spec);
        fail_in = -1;
        ok = outcome.has_value();
        no_memory = !ok && outcome.error().code == errc::no_memory;
      } catch (const std::bad_alloc&) {  // a lambda's own string
        fail_in = -1;
        no_memory = true;
      }
      if (failed) {
        ASSERT_TRUE(no_memory) << n;
        ASSERT_EQ(spec.to_json(), json) << n;
        ASSERT_TRUE(mutation(spec)) << n;  // the document goes on working
        ASSERT_NE(spec.to_json(), json) << n;
      } else {
        ASSERT_TRUE(ok);
        failures = n;
      }
      ASSERT_LT(n, 100000);
    }
    EXPECT_GT(failures, 0);
  }
}

TEST(NoMemory, AWholeGroupIsUndone) {
  const std::string json = fixture();
  const std::string_view capabilities[] = {"SYS_ADMIN", "NET_ADMIN"};
  spec_builder spec = spec_builder::parse(json).value();
  const long failures = for_every_failure(
      [&] {
        // A new document each time would hide what an attempt leaves behind in this one: the arena keeps its memory, so
        // the undone attempts are measured by a clone.
        result<spec_builder> copy = spec.clone();
        if (!copy) return result<void>(std::move(copy).error());
        const result<void> outcome = copy->apply(
            [&](spec_builder& s) { return spec_capabilities(s).add(capabilities); },
            [](spec_builder& s) {
              return spec_mounts(s).set({"/sys/fs/cgroup", "cgroup", "cgroup", {"rw"}});
            },
            [](spec_builder& s) { return spec_env(s).set("A_NEW_VARIABLE", "with a value that is not short"); });
        if (!outcome) {
          const long armed = std::exchange(fail_in, -1);
          EXPECT_EQ(copy->to_json(), json);
          fail_in = armed;
        }
        return outcome;
      },
      [&] { EXPECT_EQ(spec.to_json(), json); });
  EXPECT_GT(failures, 8);
}

TEST(NoMemory, WriteFileLeavesTheOldOne) {
  std::string directory = "/tmp/berth-no-memory-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const std::string file = directory + "/config.json";
  ASSERT_TRUE(spec_builder::parse(R"({"x":1})").value().write_file(file));
  const spec_builder spec = spec_builder::parse(fixture()).value();
  const long failures = for_every_failure([&] { return spec.write_file(file); },
                                          [&] { EXPECT_EQ(spec_builder::load(file).value().to_json(), R"({"x":1})"); });
  EXPECT_GT(failures, 2);
  const long load_failures = for_every_failure(
      [&]() -> result<void> {
        auto loaded = spec_builder::load(file);
        if (!loaded) return std::move(loaded).error();
        return {};
      },
      [] {});
  EXPECT_GT(load_failures, 2);
  EXPECT_EQ(::unlink(file.c_str()), 0);
  EXPECT_EQ(::rmdir(directory.c_str()), 0);  // fails when a temporary file is left
}

TEST(NoMemory, MinimalSpec) {
  minimal_spec_options options;
  options.args = {"/bin/sh"};
  options.rootfs = "/srv/a/root/file/system";
  options.mounts = {bind_mount("/srv/a/directory", "/a/place")};
  const long failures = for_every_failure(
      [&]() -> result<void> {
        auto spec = minimal_spec(options);
        if (!spec) return std::move(spec).error();
        return {};
      },
      [] {});
  EXPECT_GT(failures, 10);
}

}  // namespace
}  // namespace berth

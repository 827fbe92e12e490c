// SPDX-License-Identifier: Apache-2.0
#include <berth/spec/mounts.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace berth {
namespace {

spec_builder with_mounts(const std::vector<std::string>& destinations) {
  std::string json = R"({"mounts":[)";
  for (std::size_t i = 0; i < destinations.size(); ++i)
    json +=
        (i ? "," : "") + (R"({"destination":")" + destinations[i] + R"(","source":")" + std::to_string(i) + R"("})");
  return spec_builder::parse(json + "]}").value();
}

std::vector<std::string> destinations(spec_builder& spec) {
  std::vector<std::string> out;
  for (const spec_mount& m : spec_mounts(spec).list())
    out.push_back(m.source == "new" ? "*" + m.destination : m.destination);
  return out;
}

std::vector<std::string> after_set(const std::vector<std::string>& before, const std::string& destination) {
  spec_builder spec = with_mounts(before);
  const spec_mount mount{destination, "tmpfs", "new", {"rw"}};
  EXPECT_TRUE(spec_mounts(spec).set(mount));
  const auto once = destinations(spec);
  EXPECT_TRUE(spec_mounts(spec).set(mount));
  EXPECT_EQ(destinations(spec), once);
  return once;
}

using list = std::vector<std::string>;

TEST(Mounts, SetFindsThePlace) {
  EXPECT_EQ(after_set({}, "/a"), (list{"*/a"}));
  EXPECT_EQ(after_set({"/x", "/y"}, "/a"), (list{"/x", "/y", "*/a"}));
  EXPECT_EQ(after_set({"/x", "/a", "/y"}, "/a"), (list{"/x", "*/a", "/y"}));
  // Every match goes, by meaning and not by spelling.
  EXPECT_EQ(after_set({"/x", "//a/./b/", "/y", "/a/b", "/a//b"}, "/a/b"), (list{"/x", "*/a/b", "/y"}));
  EXPECT_EQ(after_set({"/x"}, "//a/./b//"), (list{"/x", "*/a/b"}));
  // Those beneath stay after, those above before.
  EXPECT_EQ(after_set({"/sys", "/sys/fs/cgroup/unified", "/y"}, "/sys/fs/cgroup"),
            (list{"/sys", "*/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/y"}));
  EXPECT_EQ(after_set({"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys", "/y"}, "/sys/fs/cgroup"),
            (list{"/sys", "/y", "*/sys/fs/cgroup", "/sys/fs/cgroup/unified"}));
  EXPECT_EQ(after_set({"/a", "/a/b", "/a"}, "/a"), (list{"*/a", "/a/b"}));
  // A name that only begins alike is neither.
  EXPECT_EQ(after_set({"/ab", "/a/b"}, "/a"), (list{"/ab", "*/a", "/a/b"}));
  EXPECT_EQ(after_set({"/proc", "/"}, "/proc"), (list{"/", "*/proc"}));
  EXPECT_EQ(after_set({"/proc", "/dev"}, "/"), (list{"*/", "/proc", "/dev"}));
}

TEST(Mounts, SetKeepsItsPromisesOnEveryOrder) {
  const list names{"/", "/a", "/a/b", "/a/b/c", "/a//b", "/ab", "/x"};
  std::minstd_rand random(20261124);
  for (int round = 0; round < 5000; ++round) {
    list before;
    for (unsigned n = random() % 7; n > 0; --n) before.push_back(names[random() % names.size()]);
    const std::string target = names[random() % names.size()];
    const std::string cleaned = clean_path(target);
    const list after = after_set(before, target);
    const auto trace = [&] {
      std::string text = "set " + target + " in";
      for (const auto& d : before) text += ' ' + d;
      text += " gave";
      for (const auto& d : after) text += ' ' + d;
      return text;
    };
    // One mount there, and it is the new one.
    std::size_t at = after.size();
    list others;
    for (std::size_t i = 0; i < after.size(); ++i) {
      if (after[i].front() == '*') {
        ASSERT_EQ(at, after.size()) << trace();
        at = i;
      } else {
        ASSERT_NE(clean_path(after[i]), cleaned) << trace();
        others.push_back(after[i]);
      }
    }
    ASSERT_LT(at, after.size()) << trace();
    // The others are all there.
    list kept;
    std::size_t first = before.size();
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (clean_path(before[i]) == cleaned) {
        if (first == before.size()) first = i;
      } else {
        kept.push_back(before[i]);
      }
    }
    list sorted_kept = kept;
    list sorted_others = others;
    std::sort(sorted_kept.begin(), sorted_kept.end());
    std::sort(sorted_others.begin(), sorted_others.end());
    ASSERT_EQ(sorted_others, sorted_kept) << trace();
    // None above comes after it.
    const std::string prefix = cleaned == "/" ? "/" : cleaned + "/";
    for (std::size_t i = at + 1; i < after.size(); ++i) {
      const std::string above = clean_path(after[i]);
      const std::string above_prefix = above == "/" ? "/" : above + "/";
      ASSERT_FALSE(cleaned != above && prefix.starts_with(above_prefix)) << trace();
    }
    // Those beneath that came after the first one there come after the new one.
    std::size_t beneath_after = 0;
    for (std::size_t i = first; i < before.size(); ++i) {
      const std::string d = clean_path(before[i]);
      beneath_after += d != cleaned && d.starts_with(prefix);
    }
    std::size_t found = 0;
    for (std::size_t i = at + 1; i < after.size(); ++i) {
      const std::string d = clean_path(after[i]);
      found += d != cleaned && d.starts_with(prefix);
    }
    ASSERT_GE(found, beneath_after) << trace();
  }
}

TEST(Mounts, AddRemoveClear) {
  spec_builder spec = with_mounts({"/a/b", "/c"});
  EXPECT_EQ(spec_mounts(spec).add({"/a//b", "tmpfs", "x", {}}).error().code, errc::exists);
  EXPECT_TRUE(spec_mounts(spec).add({"/a/b/", "", "0", {}}));
  EXPECT_EQ(destinations(spec), (list{"/a/b", "/c"}));
  EXPECT_TRUE(spec_mounts(spec).add({"/a", "tmpfs", "new", {}}));
  EXPECT_EQ(destinations(spec), (list{"*/a", "/a/b", "/c"}));
  EXPECT_TRUE(spec_mounts(spec).remove("/a/"));
  EXPECT_EQ(destinations(spec), (list{"/a/b", "/c"}));
  EXPECT_EQ(spec_mounts(spec).get("//c")->source, "1");
  EXPECT_EQ(spec_mounts(spec).get("/d"), std::nullopt);
  EXPECT_TRUE(spec_mounts(spec).clear());
  EXPECT_EQ(spec.to_json(), "{}");
}

TEST(Mounts, Refusals) {
  spec_builder spec = with_mounts({"/a"});
  const std::string before = spec.to_json();
  for (const std::string& bad : {std::string("a"), std::string(), std::string("/a/../b"), std::string("/..")}) {
    EXPECT_EQ(spec_mounts(spec).set({bad, "tmpfs", "x", {}}).error().code, errc::spec_path) << bad;
    EXPECT_EQ(spec_mounts(spec).add({bad, "tmpfs", "x", {}}).error().code, errc::spec_path) << bad;
    EXPECT_EQ(spec_mounts(spec).remove(bad).error().code, errc::spec_path) << bad;
  }
  const std::string nul("a\0b", 3);
  EXPECT_EQ(spec_mounts(spec).set({"/" + nul, "tmpfs", "x", {}}).error().code, errc::spec_nul);
  EXPECT_EQ(spec_mounts(spec).set({"/x", nul, "x", {}}).error().code, errc::spec_nul);
  EXPECT_EQ(spec_mounts(spec).set({"/x", "tmpfs", nul, {}}).error().code, errc::spec_nul);
  EXPECT_EQ(spec_mounts(spec).set({"/x", "tmpfs", "x", {nul}}).error().code, errc::spec_nul);
  EXPECT_EQ(spec.to_json(), before);
}

TEST(Mounts, CleanPath) {
  EXPECT_EQ(clean_path("//a/.//b/./"), "/a/b");
  EXPECT_EQ(clean_path("/"), "/");
  EXPECT_EQ(clean_path("///."), "/");
  EXPECT_EQ(clean_path(""), ".");
  EXPECT_EQ(clean_path("a//b/"), "a/b");
  EXPECT_EQ(clean_path("./.hidden/..x"), ".hidden/..x");
}

}  // namespace
}  // namespace berth

// SPDX-License-Identifier: Apache-2.0
#include <berth/snapshot/detail/pool_directory.hpp>
#include <berth/snapshot/pool_plan.hpp>
#include <berth/spec/json.hpp>

#include <gtest/gtest.h>

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace {

using namespace berth;
using kind = pool_step::kind;

const time_point start = time_point() + seconds(1000);

TEST(PoolPlan, MakesWhatIsMissingSomeAtATime) {
  pool_plan plan({.size = 3, .at_once = 2});
  EXPECT_EQ(plan.next(3, start).what, kind::full);
  EXPECT_EQ(plan.next(0, start).what, kind::make);
  plan.began(start);
  EXPECT_EQ(plan.next(0, start).what, kind::make);
  plan.began(start);
  const pool_step busy = plan.next(0, start);
  EXPECT_EQ(busy.what, kind::wait);
  EXPECT_EQ(busy.until, time_point::max()) << "until one has come to its end";
  plan.succeeded();
  EXPECT_EQ(plan.next(1, start).what, kind::make);
  plan.began(start);
  plan.succeeded();
  EXPECT_EQ(plan.next(2, start).what, kind::wait) << "the last is being made";
  plan.succeeded();
  EXPECT_EQ(plan.being_made(), 0);
  EXPECT_EQ(plan.next(3, start).what, kind::full);
  EXPECT_EQ(plan.next(2, start).what, kind::make) << "one was taken";
}

TEST(PoolPlan, KeepsToItsRate) {
  pool_plan plan({.size = 9, .at_once = 9, .per_minute = 30});
  plan.began(start);
  const pool_step held = plan.next(0, start);
  EXPECT_EQ(held.what, kind::wait);
  EXPECT_EQ(held.until, start + seconds(2));
  EXPECT_EQ(plan.next(0, start + seconds(2)).what, kind::make);
  // What was not begun in time is not made up for.
  plan.began(start + seconds(60));
  EXPECT_EQ(plan.next(0, start + seconds(61)).what, kind::wait);
}

TEST(PoolPlan, TriesMoreSlowlyAfterFailuresAndGivesUp) {
  pool_plan plan({.size = 8, .at_once = 4});
  for (int i = 0; i < 3; ++i) plan.began(start);
  plan.failed(start);
  plan.succeeded();
  plan.failed(start);
  EXPECT_EQ(plan.next(1, start).what, kind::wait);
  EXPECT_EQ(plan.next(1, start + seconds(1)).what, kind::make);
  time_point now = start;
  for (int i = 1; i < pool_plan::most_failures; ++i) {
    const pool_step step = plan.next(1, now);
    if (step.what == kind::wait) now = step.until;
    ASSERT_EQ(plan.next(1, now).what, kind::make) << i;
    plan.began(now);
    EXPECT_EQ(plan.next(1, now).what, kind::wait) << "one is tried alone";
    plan.failed(now);
  }
  EXPECT_EQ(plan.next(1, now + seconds(3600)).what, kind::give_up);
  EXPECT_GE(now, start + seconds(1 + 2 + 4));
}

class PoolStore : public testing::Test {
 protected:
  PoolStore() {
    char path[] = "/tmp/berth-pool-XXXXXX";
    where_.root = ::mkdtemp(path);
  }
  ~PoolStore() override { std::filesystem::remove_all(where_.root); }
  static pool_settings settings() {
    pool_settings s;
    s.name = "web";
    s.snapshot = "warm";
    s.rate = {.size = 5, .at_once = 3, .per_minute = 12.5};
    s.owner = {17, 4711};
    return s;
  }
  environment where_;
};

TEST_F(PoolStore, KeepsSettingsAndFigures) {
  EXPECT_TRUE(list_pools(where_)->empty());
  EXPECT_EQ(find_pool(where_, "web").error().code, errc::not_found);
  auto made = detail::pool_directory::make(where_, settings(), "warm 17");
  ASSERT_TRUE(made) << made.error().to_string();
  EXPECT_EQ(detail::pool_directory::make(where_, settings(), "warm 17").error().code, errc::exists);
  made->count([](pool_figures& f) {
    f.handed_out = 7;
    f.failure = "of \"no\" use\n";
  });
  const auto read = find_pool(where_, "web");
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(read->settings.snapshot, "warm");
  EXPECT_EQ(read->settings.rate.size, 5);
  EXPECT_EQ(read->settings.rate.at_once, 3);
  EXPECT_EQ(read->settings.rate.per_minute, 12.5);
  EXPECT_EQ(read->settings.owner, (process_identity{17, 4711}));
  EXPECT_EQ(read->source, "warm 17");
  EXPECT_EQ(read->figures.handed_out, 7u);
  EXPECT_EQ(read->figures.failure, "of \"no\" use\n");
  EXPECT_FALSE(read->filling);
  const auto shown = parsed_json::parse(format_pool(*read));
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->root()["size"].number<int>(), 5);
  EXPECT_EQ(shown->root()["ready"].number<int>(), 0);
  ASSERT_EQ(list_pools(where_)->size(), 1u);
}

TEST_F(PoolStore, OneFillsItAndWhoStopsItTakesItsNameAway) {
  auto made = detail::pool_directory::make(where_, settings(), "warm 17");
  ASSERT_TRUE(made);
  auto filling = made->try_lock();
  EXPECT_TRUE(filling);
  EXPECT_FALSE(detail::pool_directory::open(where_, "web")->try_lock());
  EXPECT_TRUE(find_pool(where_, "web")->filling);
  auto stopper = detail::pool_directory::open(where_, "web");
  ASSERT_TRUE(stopper);
  EXPECT_TRUE(stopper->retire());
  EXPECT_FALSE(made->is_there());
  EXPECT_TRUE(stopper->retire()) << "again";
  EXPECT_EQ(find_pool(where_, "web").error().code, errc::not_found);
  EXPECT_EQ(detail::remove_retired_pools(where_), 0) << "whoever stops it is at work";
  // The name is free, and the one before is still itself.
  auto next = detail::pool_directory::make(where_, settings(), "warm 18");
  EXPECT_TRUE(next);
  EXPECT_FALSE(made->is_there());
  stopper->remove();
  EXPECT_TRUE(next->is_there());
}

TEST_F(PoolStore, WhatAKilledStopperLeftIsRemoved) {
  {
    auto made = detail::pool_directory::make(where_, settings(), "warm 17");
    ASSERT_TRUE(made->retire());
  }
  EXPECT_EQ(detail::remove_retired_pools(where_), 1);
  EXPECT_TRUE(std::filesystem::is_empty(where_.root + "/.pools"));
}

TEST_F(PoolStore, NonsenseIsRefused) {
  pool_settings bad = settings();
  bad.rate.size = 0;
  EXPECT_EQ(check_pool_settings(bad).error().path, "size");
  bad = settings();
  bad.rate.at_once = 65;
  EXPECT_EQ(check_pool_settings(bad).error().path, "at_once");
  bad = settings();
  bad.rate.per_minute = -1;
  EXPECT_EQ(check_pool_settings(bad).error().path, "per_minute");
  bad = settings();
  bad.name = "../web";
  EXPECT_FALSE(check_pool_settings(bad));
  ASSERT_TRUE(detail::pool_directory::make(where_, settings(), "warm 17"));
  for (const char* text : {"", "{}", "[", "{\"name\":\"web\",\"snapshot\":\"warm\",\"size\":1e9}"}) {
    std::ofstream(where_.root + "/.pools/web/pool.json") << text;
    EXPECT_EQ(find_pool(where_, "web").error().code, errc::record_damaged) << text;
  }
}

}  // namespace

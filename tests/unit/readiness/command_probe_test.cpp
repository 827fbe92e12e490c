// SPDX-License-Identifier: Apache-2.0
#include "asking.hpp"
#include "peers.hpp"

#include <gtest/gtest.h>

namespace berth {
namespace {

using namespace test;
using kind = probe_outcome::kind;

TEST(CommandProbe, ReadyOnExitZero) {
  host_executor host;
  command yes;
  yes.argv = {"true"};
  command no;
  no.argv = {"sh", "-c", "echo why >&2; exit 1"};
  command none;
  none.argv = {"berth-no-such-program"};
  command hangs;
  hangs.argv = {"sleep", "1000"};
  EXPECT_EQ(ask(*make_command_probe(host, yes)).what, kind::ready);
  const auto o = ask(*make_command_probe(host, no));
  EXPECT_EQ(o.what, kind::not_yet);
  EXPECT_EQ(o.reason.detail, "why\n");
  EXPECT_EQ(ask(*make_command_probe(host, none)).what, kind::fatal);
  const auto slow = ask(*make_command_probe(host, hangs), milliseconds(200));
  EXPECT_EQ(slow.what, kind::not_yet);
  EXPECT_EQ(slow.reason.code, errc::timeout);
}

}  // namespace
}  // namespace berth

// A sandbox's life on real runsc: created, found again, used, removed.
#include "support/sandbox_fixture.hpp"

#include <berth/sandbox/sandbox.hpp>

namespace {

using namespace berth;

class SandboxLife : public berth_test::sandbox_test {};

TEST_F(SandboxLife, IsCreatedRunsCommandsAndGoes) {
  auto box = create(config());
  EXPECT_EQ(shell(*box, "echo hello"), "hello");
  auto state = loop_.run(box->state());
  ASSERT_TRUE(state) << state.error().to_string();
  EXPECT_EQ(*state, sandbox_state::running);
  terminate(*box);
  auto gone = sandbox::attach(where_, box->id());
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, errc::not_found);
  terminate(*box);  // again
}

TEST_F(SandboxLife, HasANetwork) {
  auto box = create(config(network_mode::sandbox));
  ASSERT_TRUE(box->record().net);
  EXPECT_EQ(shell(*box, "hostname -I"), box->record().net->address());
  terminate(*box);
}

}  // namespace

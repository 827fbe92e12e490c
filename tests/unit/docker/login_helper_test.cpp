// SPDX-License-Identifier: Apache-2.0
#include <berth/docker/login_helper.hpp>
#include <berth/spec/json.hpp>

#include "../directory.hpp"
#include "../process/children.hpp"
#include "../process/loop.hpp"
#include "login_helpers.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <sstream>

namespace berth {
namespace {

namespace asio = boost::asio;
using test::helpers_on_path;

constexpr const char* secret = "T0KEN";

result<std::string> asked(const std::string& name, const std::string& registry = "r.example:5000",
                          duration patience = seconds(120)) {
  auto asking = ask_login_helper(name, registry, deadline_after(patience));
  return test::run(std::move(asking));
}

error error_of(const std::string& name, duration patience = seconds(120)) {
  const auto got = asked(name, "r.example:5000", patience);
  error e = got ? error() : got.error();
  EXPECT_FALSE(got) << *got;
  EXPECT_EQ(e.to_string().find(secret), std::string::npos) << e.to_string();
  return e;
}

std::string text_in(const std::string& file) {
  std::ifstream in(file);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

TEST(LoginHelper, IsAskedAsDockersClientAsks) {
  const helpers_on_path helpers;
  helpers.add("kept",
              "printf '%s|' \"$0\" \"$@\" > $SEEN/words; cat > $SEEN/input; env > $SEEN/environment\n"
              R"(echo '{"ServerURL":"r.example:5000","Username":"me","Secret":"T0KEN"}')");
  const auto got = asked("kept");
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(*got, R"({"auth":"bWU6VDBLRU4="})") << "me:T0KEN";
  EXPECT_EQ(text_in(helpers / "words"), helpers / "docker-credential-kept" + "|get|");
  EXPECT_EQ(text_in(helpers / "input"), "r.example:5000") << "without a newline";
  EXPECT_NE(text_in(helpers / "environment").find("SEEN=" + helpers.path()), std::string::npos) << "the caller's own";

  ASSERT_TRUE(asked("kept", "docker.io"));
  EXPECT_EQ(text_in(helpers / "input"), "https://index.docker.io/v1/");
}

TEST(LoginHelper, ATokenIsAnIdentityToken) {
  const helpers_on_path helpers;
  helpers.add("token", R"(echo '{"Username":"<token>","Secret":"T0\"KEN"}')");
  const auto got = asked("token");
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(*got, R"({"identitytoken":"T0\"KEN"})");
}

TEST(LoginHelper, OneThatReadsNothingIsHeard) {
  const helpers_on_path helpers;
  helpers.add("deaf", R"(exec <&-; echo '{"Username":"me","Secret":"T0KEN"}')");
  EXPECT_TRUE(asked("deaf"));
}

TEST(LoginHelper, OneThatHasNoneSaysSo) {
  const helpers_on_path helpers;
  helpers.add("none", "echo credentials not found in native keychain; exit 1");
  helpers.add("empty", R"(echo '{"ServerURL":"r.example:5000","Username":"","Secret":""}')");
  for (const char* name : {"none", "empty"}) {
    const error e = error_of(name);
    EXPECT_EQ(e.code, errc::not_found) << e.to_string();
    EXPECT_NE(e.message.find("has no credentials for r.example:5000"), std::string::npos) << e.to_string();
    EXPECT_NE(e.hint.find("docker login r.example:5000"), std::string::npos) << e.to_string();
  }
}

TEST(LoginHelper, OneThatFailsIsToldWithItsReason) {
  const helpers_on_path helpers;
  helpers.add("locked", "printf 'the keychain is \\033[31mlocked\\nmore\\n'; echo T0KEN >&2; exit 3");
  error e = error_of("locked");
  EXPECT_EQ(e.code, errc::io);
  EXPECT_NE(e.message.find("exit code 3: the keychain is \\x1b[31mlocked"), std::string::npos) << e.to_string();
  EXPECT_EQ(e.message.find("more"), std::string::npos) << "one line";

  helpers.add("late", R"(echo '{"Username":"me","Secret":"T0KEN"}'; exit 1)");
  e = error_of("late");
  EXPECT_EQ(e.code, errc::io) << "and the secret is not shown";
  EXPECT_NE(e.message.find("docker-credential-late"), std::string::npos) << e.to_string();

  helpers.add("traced", R"(set -x; secret=T0KEN; exit 1)");
  EXPECT_EQ(error_of("traced").code, errc::io);
}

TEST(LoginHelper, AnAnswerThatIsNoneIsRefused) {
  const helpers_on_path helpers;
  for (const char* answer :
       {"", "T0KEN", "[]", R"({"Username":"me"})", R"({"Secret":"T0KEN"})", R"({"Username":1,"Secret":"T0KEN"})",
        R"({"Username":"me","Secret":"T0KEN"} T0KEN)", R"({"Username":"me","Secret":"T0KEN","Secret":"T0KEN"})",
        R"({"Username":"me:T0KEN","Secret":"T0KEN"})"}) {
    helpers.add("garbage", "cat <<'END'\n" + std::string(answer) + "\nEND");
    const error e = error_of("garbage");
    EXPECT_EQ(e.code, errc::invalid) << answer << ": " << e.to_string();
    EXPECT_NE(e.message.find("docker-credential-garbage"), std::string::npos) << e.to_string();
  }
}

TEST(LoginHelper, OneThatPrintsWithoutEndIsEnded) {
  const helpers_on_path helpers;
  helpers.add("loud", "exec yes T0KEN");
  EXPECT_EQ(error_of("loud").code, errc::too_big);
  helpers.add("long", R"(printf '{"Username":"me","Secret":"T0KEN%070000d"}' 0)");
  EXPECT_EQ(error_of("long").code, errc::too_big);
}

TEST(LoginHelper, OneThatHangsIsEndedWithItsChildren) {
  const helpers_on_path helpers;
  helpers.add("slow", "echo T0KEN; sleep 1000 & echo $! > $SEEN/child; wait");
  const error e = error_of("slow", seconds(5));
  EXPECT_EQ(e.code, errc::timeout) << e.to_string();
  EXPECT_NE(e.message.find("docker-credential-slow"), std::string::npos) << e.to_string();
  ASSERT_FALSE(text_in(helpers / "child").empty());
  EXPECT_TRUE(test::dies(std::stoi(text_in(helpers / "child"))));
}

TEST(LoginHelper, CancellingEndsIt) {
  const helpers_on_path helpers;
  helpers.add("slow", "echo $$ > $SEEN/new; mv $SEEN/new $SEEN/leader; sleep 1000 & wait");
  asio::io_context loop(1);
  asio::cancellation_signal stop;
  std::optional<result<std::string>> got;
  asio::co_spawn(loop, ask_login_helper("slow", "r.example", deadline_after(seconds(120))),
                 asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr thrown, result<std::string> r) {
                   EXPECT_FALSE(thrown);
                   got = std::move(r);
                 }));
  while (text_in(helpers / "leader").empty() && !got) loop.run_one_for(milliseconds(5));
  stop.emit(asio::cancellation_type::terminal);
  loop.run();
  ASSERT_TRUE(got);
  ASSERT_FALSE(*got);
  EXPECT_EQ(got->error().code, errc::cancelled);
  EXPECT_EQ(test::process_state(std::stoi(text_in(helpers / "leader"))), "") << "reaped";
}

TEST(LoginHelper, OneThatIsNotOnPathIsToldByItsFullName) {
  const helpers_on_path helpers;
  const error e = error_of("absent");
  EXPECT_EQ(e.code, errc::not_found);
  EXPECT_NE(e.message.find("docker-credential-absent"), std::string::npos) << e.to_string();
  EXPECT_NE(e.hint.find("install docker-credential-absent"), std::string::npos) << e.to_string();
  EXPECT_NE(e.hint.find("docker --config DIR login r.example:5000"), std::string::npos) << e.to_string();
  std::ofstream(helpers / "docker-credential-unexecutable") << "";
  EXPECT_EQ(error_of("unexecutable").code, errc::permission);
}

TEST(LoginHelper, ANameLeadsNowhereElse) {
  const helpers_on_path helpers;
  for (const char* name : {"", "/bin/sh", "../kept", "a/b", "a b", "a;b", "a\nb", "ä"}) {
    EXPECT_FALSE(is_login_helper(name)) << name;
    EXPECT_EQ(error_of(name).code, errc::invalid) << name;
  }
  EXPECT_FALSE(is_login_helper(std::string(129, 'a')));
  for (const char* name : {"pass", "ecr-login", "desktop.exe", "gcloud_1"}) EXPECT_TRUE(is_login_helper(name)) << name;
}

TEST(LoginHelper, ServersAreNamedAsDockersClientNamesThem) {
  EXPECT_EQ(login_server("docker.io"), "https://index.docker.io/v1/");
  EXPECT_EQ(login_server("https://index.docker.io/v1/"), "https://index.docker.io/v1/");
  EXPECT_EQ(login_server("http://r.example:5000/v2/"), "r.example:5000");
  EXPECT_EQ(login_server("r.example"), "r.example");
}

}  // namespace
}  // namespace berth

// SPDX-License-Identifier: Apache-2.0
// Readiness through the C ABI.
#include "support.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

namespace capi_test {

static std::uint64_t poll_start(Loop& loop, berth_executor* where, const std::string& options,
                                const berth_op_options* how = nullptr) {
  Error error;
  std::uint64_t op = 0;
  EXPECT_EQ(berth_poll_start(loop.get(), where, options.data(), options.size(), how, &op, error.slot()), BERTH_OK)
      << error.text();
  return op;
}

class Directory {
 public:
  Directory() { EXPECT_NE(mkdtemp(name_), nullptr); }
  ~Directory() {
    unlink(socket().c_str());
    rmdir(name_);
  }
  std::string socket() const { return std::string(name_) + "/s"; }

 private:
  char name_[32] = "/tmp/berth-capi-XXXXXX";
};

TEST(poll, a_socket_that_appears) {
  Loop loop;
  Directory dir;
  const std::uint64_t op = poll_start(loop, nullptr, R"({"probe":{"type":"connect","unix":")" + dir.socket() + "\"}}");
  std::this_thread::sleep_for(std::chrono::milliseconds(40));
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  strcpy(a.sun_path, dir.socket().c_str());
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
  ASSERT_EQ(listen(fd, 5), 0);
  const Event e = loop.done(op);
  close(fd);
  EXPECT_EQ(e.status, BERTH_OK) << e.error;
  EXPECT_GT(e.code, 1) << "probes";
  EXPECT_NE(e.payload.find(R"("status":"ok")"), std::string::npos) << e.payload;
  EXPECT_NE(e.payload.find(R"("connected":true)"), std::string::npos) << e.payload;
}

TEST(poll, commands) {
  Loop loop;
  Executor host;
  ASSERT_EQ(berth_executor_create_host(loop.get(), host.slot(), nullptr), BERTH_OK);
  Event e = loop.done(poll_start(loop, host.get(), R"({"probe":{"type":"command","argv":["true"]}})"));
  EXPECT_EQ(e.status, BERTH_OK) << e.error;
  EXPECT_EQ(e.code, 1);
  const auto how = op_options(0, ns_from_now(200));
  e = loop.done(poll_start(loop, host.get(),
                           R"({"probe":{"type":"command","argv":["false"]},"schedule":{"first_ms":5,"max_ms":10}})",
                           &how));
  EXPECT_EQ(e.status, BERTH_E_TIMEOUT) << e.error;
  EXPECT_GT(e.code, 1);
  EXPECT_NE(e.detail.find("exit code 1"), std::string::npos) << e.detail;
}

TEST(poll, the_process_behind_it_ends) {
  Loop loop;
  const std::uint64_t op =
      poll_start(loop, nullptr, R"({"probe":{"type":"http","unix":"/nonexistent/s","target":"/_ping"}})");
  ASSERT_EQ(berth_poll_notify_exit(loop.get(), op, 7, 0, nullptr), BERTH_OK);
  const Event e = loop.done(op);
  EXPECT_EQ(e.status, BERTH_E_PROCESS_EXITED);
  EXPECT_NE(e.error.find("exit code 7"), std::string::npos) << e.error;
  EXPECT_EQ(berth_poll_notify_exit(loop.get(), op, 7, 0, nullptr), BERTH_OK) << "ended: nothing happens";
}

TEST(poll, options_are_checked) {
  Loop loop;
  Error error;
  std::uint64_t op = 1;
  for (const std::string_view bad :
       {"{}", R"({"probe":{}})", R"({"probe":{"type":"dns"}})", R"({"probe":{"type":"connect"}})",
        R"({"probe":{"type":"connect","unix":"/s","host":"127.0.0.1","port":1}})",
        R"({"probe":{"type":"connect","host":"127.0.0.1"}})", R"({"probe":{"type":"connect","host":"h","port":70000}})",
        R"({"probe":{"type":"command","argv":["true"]}})",  // no executor
        R"({"probe":{"type":"connect","unix":"/s"},"schedule":"hasty"})",
        R"({"probe":{"type":"connect","unix":"/s"},"schedule":{"first_ms":0}})",
        R"({"probe":{"type":"connect","unix":"/s","target":"/x"}})"}) {
    EXPECT_EQ(berth_poll_start(loop.get(), nullptr, bad.data(), bad.size(), nullptr, &op, error.slot()),
              BERTH_E_INVALID)
        << bad;
    EXPECT_EQ(op, 0u);
  }
  Loop other;
  Executor host;
  ASSERT_EQ(berth_executor_create_host(other.get(), host.slot(), nullptr), BERTH_OK);
  const std::string_view command = R"({"probe":{"type":"command","argv":["true"]}})";
  EXPECT_EQ(berth_poll_start(loop.get(), host.get(), command.data(), command.size(), nullptr, &op, error.slot()),
            BERTH_E_INVALID)
      << "an executor of another loop";
}

}  // namespace capi_test

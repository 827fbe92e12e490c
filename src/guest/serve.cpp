// SPDX-License-Identifier: Apache-2.0
#include "serve.hpp"

#include "server.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace berth::guest {

int serve(int argc, char** argv) {
  const auto refuse = [] {
    static constexpr std::string_view usage =
        "berth-init: must be the first process of a sandbox, or be called as runc, or be told to start-docker, or to serve on "
        "--socket ABSOLUTE-PATH\n";
    (void)!::write(STDERR_FILENO, usage.data(), usage.size());
    return 2;
  };
  std::string socket;
  if (argc == 3 && std::string_view(argv[1]) == "--socket" && argv[2][0] == '/') socket = argv[2];
  else if (argc > 1) return refuse();
  if (::getpid() != 1) {
    if (socket.empty()) return refuse();
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);  // the commands' orphans are ours as well
  }
  // What is opened from here on must not get a standard stream's number.
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) < 0) return 1;
  }
  server at_work(socket);
  return at_work.run();
}

}  // namespace berth::guest

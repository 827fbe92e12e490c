// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"
#include "exit_code.hpp"
#include "output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

namespace {

// Whoever starts us with a standard stream closed would have the next file that we open take its number, and be read or
// written in its place.
bool have_standard_streams() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    if (::open("/dev/null", O_RDWR) != fd) return false;  // inherited by children, as the streams are
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (!have_standard_streams()) return berth::cli::exit_failed;
  // A reader of our output that goes away must end a write with EPIPE, not us with a signal: sandboxes are to be removed.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return berth::cli::run_command_line(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const berth::exception& e) {
    berth::cli::print_error(e.get(), {});
  } catch (const std::bad_alloc&) {
    std::fputs("berth: out of memory\n", stderr);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "berth: internal error: %s\n", e.what());
  }
  return berth::cli::exit_failed;
}

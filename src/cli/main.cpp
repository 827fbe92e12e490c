#include "command.hpp"
#include "exit_code.hpp"
#include "output.hpp"

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

int main(int argc, char** argv) {
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

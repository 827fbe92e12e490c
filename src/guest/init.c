// berth-init: the first process of a managed sandbox. It reaps the orphans that fall to PID 1, ends on SIGTERM or
// SIGINT, and does nothing else: everything that happens inside is started by `runsc exec`. Linked statically, so that
// it runs in any root file system.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  if (getpid() != 1) {
    static const char message[] = "berth-init: must be the first process of a sandbox\n";
    (void)!write(2, message, sizeof message - 1);
    return 2;
  }

  // Blocked and taken by sigwaitinfo: no handler, no race between a check and a wait.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0) return 1;

  for (;;) {
    // Before each wait, since one SIGCHLD may stand for many children.
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    const int signal = sigwaitinfo(&signals, NULL);
    if (signal == SIGTERM || signal == SIGINT) return 0;
    if (signal < 0 && errno != EINTR) return 1;
  }
}

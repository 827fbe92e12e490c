/* SPDX-License-Identifier: Apache-2.0 */
/* Asks GET /_ping on a unix socket every PERIOD milliseconds until the answer is 200, then prints CLOCK_MONOTONIC in
 * nanoseconds and exits. The floor that berth's waiting is measured against: no checks, no process start a probe.
 * Usage: ping_until_ready SOCKET PERIOD_MS LIMIT_S */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int answers(const char *path) {
  static const char request[] = "GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n";
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct timeval limit = {2, 0};
  char reply[64];
  ssize_t n = -1;
  if (strlen(path) >= sizeof address.sun_path) return 0;
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
      send(fd, request, sizeof request - 1, MSG_NOSIGNAL) == (ssize_t)sizeof request - 1)
    n = recv(fd, reply, sizeof reply, 0);
  close(fd);
  return n >= 12 && memcmp(reply + 8, " 200", 4) == 0;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: %s SOCKET PERIOD_MS LIMIT_S\n", argv[0]);
    return 2;
  }
  long period = atol(argv[2]);
  long long end = now_ns() + atol(argv[3]) * 1000000000LL;
  struct timespec pause = {period / 1000, (period % 1000) * 1000000L};
  while (!answers(argv[1])) {
    if (now_ns() > end) {
      fprintf(stderr, "no answer on %s\n", argv[1]);
      return 1;
    }
    nanosleep(&pause, NULL);
  }
  printf("%lld\n", now_ns());
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the benchmark's containers, sandboxes and host run alike. Linked statically.
 *   traffic serve PORT                      serves the next
 *   traffic call ADDRESS PORT SECONDS TRIPS  sends for so long, takes for so long, and sends a byte there and back so often;
 *                                           prints megabytes a second, those, and the median of microseconds
 *   traffic lines COUNT LENGTH              prints so many lines, many to a write */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char bytes[256 << 10];

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void must(int good, const char* what) {
  if (good) return;
  perror(what);
  exit(1);
}

static void send_all(int fd, uint64_t left) {
  while (left > 0) {
    ssize_t n = write(fd, bytes, left < sizeof bytes ? left : sizeof bytes);
    must(n > 0, "write");
    left -= (uint64_t)n;
  }
}

static void take_all(int fd, uint64_t left) {
  while (left > 0) {
    ssize_t n = read(fd, bytes, left < sizeof bytes ? left : sizeof bytes);
    must(n > 0, "read");
    left -= (uint64_t)n;
  }
}

static int connected(const char* address, int port) {
  struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  must(inet_pton(AF_INET, address, &there.sin_addr) == 1, address);
  must(connect(fd, (struct sockaddr*)&there, sizeof there) == 0, "connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

/* Counts what comes for so long. */
static uint64_t take_for(int fd, double us) {
  const double end = now_us() + us;
  uint64_t taken = 0;
  for (double left = us; left > 0; left = end - now_us()) {
    struct pollfd one = {fd, POLLIN, 0};
    if (poll(&one, 1, (int)(left / 1000) + 1) <= 0) continue;
    ssize_t n = read(fd, bytes, sizeof bytes);
    must(n > 0, "read");
    taken += (uint64_t)n;
  }
  return taken;
}

/* A connection begins with what is wanted: 'u' or 'd' and for how many microseconds, or 'e' and a count of trips. */
static void serve_one(int fd) {
  uint64_t count;
  char kind;
  take_all(fd, 1);
  kind = bytes[0];
  take_all(fd, sizeof count);
  memcpy(&count, bytes, sizeof count);
  while (kind == 'd') send_all(fd, sizeof bytes);  // until the other end has enough
  if (kind == 'u') {
    count = take_for(fd, (double)count);
    memcpy(bytes, &count, sizeof count);
    send_all(fd, sizeof count);
    while (read(fd, bytes, sizeof bytes) > 0) {  // else its writing would fail before it reads this
    }
  }
  for (; kind == 'e' && count > 0; --count) {
    take_all(fd, 1);
    send_all(fd, 1);
  }
}

static void serve(int port) {
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  const struct timeval patience = {10, 0};  // nobody ends what is left of a connection whose other end is gone
  int listening = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  must(bind(listening, (struct sockaddr*)&here, sizeof here) == 0 && listen(listening, 16) == 0, "listen");
  signal(SIGCHLD, SIG_IGN);
  for (;;) {
    int fd = accept(listening, NULL, NULL);
    must(fd >= 0, "accept");
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
      serve_one(fd);
      _exit(0);
    }
    close(fd);
  }
}

static int asked(const char* address, int port, char kind, uint64_t count) {
  int fd = connected(address, port);
  bytes[0] = kind;
  memcpy(bytes + 1, &count, sizeof count);
  send_all(fd, 1 + sizeof count);
  return fd;
}

static int in_order(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

static double sent(const char* address, int port, uint64_t us) {
  int fd = asked(address, port, 'u', us);
  uint64_t count;
  for (;;) {
    struct pollfd one = {fd, POLLIN | POLLOUT, 0};
    must(poll(&one, 1, -1) == 1, "poll");
    if (one.revents & POLLIN) break;
    must(send(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0, "send");
  }
  take_all(fd, sizeof count);
  memcpy(&count, bytes, sizeof count);
  close(fd);
  return (double)count;
}

static void call(const char* address, int port, uint64_t seconds, uint64_t trips) {
  const uint64_t us = seconds * 1000000;
  double up = sent(address, port, us), down, *each = calloc(trips, sizeof *each);
  int fd = asked(address, port, 'd', us);
  must(each != NULL, "calloc");
  down = (double)take_for(fd, (double)us);
  close(fd);
  fd = asked(address, port, 'e', trips);
  for (uint64_t i = 0; i < trips; ++i) {
    const double begin = now_us();
    send_all(fd, 1);
    take_all(fd, 1);
    each[i] = now_us() - begin;
  }
  close(fd);
  qsort(each, trips, sizeof *each, in_order);
  printf("%.3f %.3f %.1f\n", up / (double)us, down / (double)us, each[trips / 2]);
}

static void lines(uint64_t count, size_t length) {
  char one[1024];
  size_t used = 0;
  for (uint64_t i = 0; i < count; ++i) {
    snprintf(one, sizeof one, "%0*llu\n", (int)length, (unsigned long long)i);
    memcpy(bytes + used, one, length + 1);
    used += length + 1;
    if (used > 4096 || i + 1 == count) {
      for (size_t at = 0; at < used;) {
        ssize_t n = write(1, bytes + at, used - at);
        must(n > 0, "write");
        at += (size_t)n;
      }
      used = 0;
    }
  }
}

int main(int argc, char** argv) {
  if (argc == 3 && strcmp(argv[1], "serve") == 0) serve(atoi(argv[2]));
  else if (argc == 6 && strcmp(argv[1], "call") == 0)
    call(argv[2], atoi(argv[3]), strtoull(argv[4], NULL, 10), strtoull(argv[5], NULL, 10));
  else if (argc == 4 && strcmp(argv[1], "lines") == 0 && atoi(argv[3]) > 0 && atoi(argv[3]) < 1000)
    lines(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
  else return 2;
  return 0;
}

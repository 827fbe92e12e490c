/* SPDX-License-Identifier: Apache-2.0 */
// Runs in nested containers, in any image. Needs no name service.
//   calls serve PORT              answers TCP connections and UDP packets
//   calls tcp ADDRESS PORT COUNT  COUNT connections, one after another: says how many were answered, and how the others ended
//   calls udp ADDRESS PORT        one question
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Nothing here is about speed: what takes longer than this is lost.
static const struct timeval patience = {30, 0};

static struct sockaddr_in address_of(const char* host, const char* port) {
  struct sockaddr_in to;
  memset(&to, 0, sizeof to);
  to.sin_family = AF_INET;
  to.sin_port = htons((unsigned short)atoi(port));
  inet_pton(AF_INET, host, &to.sin_addr);
  return to;
}

static int fail(const char* what) {
  printf("%s: %s\n", what, strerror(errno));
  return 1;
}

static int serve(const char* port) {
  struct sockaddr_in here = address_of("0.0.0.0", port);
  int listening = socket(AF_INET, SOCK_STREAM, 0), datagrams = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
  setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listening, (struct sockaddr*)&here, sizeof here) != 0 || listen(listening, 512) != 0) return fail("listen");
  if (bind(datagrams, (struct sockaddr*)&here, sizeof here) != 0) return fail("bind");
  printf("serving\n");
  fflush(stdout);
  for (;;) {
    struct pollfd both[2] = {{listening, POLLIN, 0}, {datagrams, POLLIN, 0}};
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    char text[64];
    if (poll(both, 2, -1) < 0) return fail("poll");
    if (both[0].revents != 0) {
      int one = accept(listening, NULL, NULL);
      if (one >= 0) {
        setsockopt(one, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (read(one, text, sizeof text) > 0 && write(one, "answer", 6) != 6) printf("write: %s\n", strerror(errno));
        close(one);
      }
    }
    if (both[1].revents != 0 && recvfrom(datagrams, text, sizeof text, 0, (struct sockaddr*)&from, &size) > 0)
      sendto(datagrams, "answer", 6, 0, (struct sockaddr*)&from, size);
  }
}

static int call(int kind, const struct sockaddr_in* to) {
  char text[64];
  int one = socket(AF_INET, kind, 0);
  int bad = 1;
  setsockopt(one, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(one, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(one, (const struct sockaddr*)to, sizeof *to) != 0) fail("connect");
  else if (write(one, "question", 8) != 8) fail("write");
  else if (read(one, text, sizeof text) != 6) fail("read");
  else bad = 0;
  close(one);
  return bad;
}

int main(int argc, char** argv) {
  if (argc == 3 && strcmp(argv[1], "serve") == 0) return serve(argv[2]);
  if (argc < 4) return 2;
  struct sockaddr_in to = address_of(argv[2], argv[3]);
  int count = argc > 4 ? atoi(argv[4]) : 1, answered = 0;
  for (int i = 0; i < count; ++i) answered += !call(strcmp(argv[1], "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM, &to);
  printf("answered %d of %d\n", answered, count);
  return 0;
}

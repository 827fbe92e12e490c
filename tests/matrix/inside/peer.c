/* SPDX-License-Identifier: Apache-2.0 */
// What the matrix's containers need and busybox lacks. Linked to the C library of the image, so that it resolves names.
//   peer serve PORT                  answers TCP connections and UDP packets with its host name
//   peer call tcp|udp NAME PORT [N]  N questions one after another, each by name: prints the last answer and how many came
//   peer xattr FILE NAME [VALUE]     sets or prints an extended attribute
//   peer uid                         prints its effective user
//   peer fork N                      forks N times, whatever comes of it, and prints how many children it has
//   peer eat MEGABYTES               has so much memory resident, says so, and waits
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/xattr.h>
#include <unistd.h>

static const struct timeval patience = {20, 0};

static int fail(const char* what) {
  printf("%s: %s\n", what, strerror(errno));
  return 1;
}

static int serve(int port) {
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  int listening = socket(AF_INET, SOCK_STREAM, 0), datagrams = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
  char name[64] = "", text[64];
  gethostname(name, sizeof name - 1);
  setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listening, (struct sockaddr*)&here, sizeof here) != 0 || listen(listening, 512) != 0) return fail("listen");
  if (bind(datagrams, (struct sockaddr*)&here, sizeof here) != 0) return fail("bind");
  printf("serving\n");
  fflush(stdout);
  for (;;) {
    struct pollfd both[2] = {{listening, POLLIN, 0}, {datagrams, POLLIN, 0}};
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    if (poll(both, 2, -1) < 0) return fail("poll");
    if (both[0].revents != 0) {
      int one = accept(listening, NULL, NULL);
      if (one >= 0) {
        setsockopt(one, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (read(one, text, sizeof text) > 0 && write(one, name, strlen(name)) < 0) fail("write");
        close(one);
      }
    }
    if (both[1].revents != 0 && recvfrom(datagrams, text, sizeof text, 0, (struct sockaddr*)&from, &size) > 0)
      sendto(datagrams, name, strlen(name), 0, (struct sockaddr*)&from, size);
  }
}

static int call(int kind, const char* name, const char* port, char* answer, size_t room) {
  struct addrinfo want = {.ai_family = AF_INET, .ai_socktype = kind}, *found = NULL;
  int bad = 1, one, error = getaddrinfo(name, port, &want, &found);
  if (error != 0) {
    printf("%s: %s\n", name, gai_strerror(error));
    return 1;
  }
  one = socket(AF_INET, kind, 0);
  setsockopt(one, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(one, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(one, found->ai_addr, found->ai_addrlen) != 0) fail("connect");
  else if (write(one, "who", 3) != 3) fail("write");
  else {
    ssize_t got = read(one, answer, room - 1);
    if (got <= 0) fail("read");
    else {
      answer[got] = 0;
      bad = 0;
    }
  }
  close(one);
  freeaddrinfo(found);
  return bad;
}

static int eat(size_t megabytes) {
  volatile char* all = malloc(megabytes << 20);  // volatile: or the compiler sees that nobody reads it
  if (all == NULL) return fail("malloc");
  for (size_t i = 0; i < megabytes << 20; i += 512) all[i] = 7;
  printf("ate %zu\n", megabytes);
  fflush(stdout);
  for (;;) pause();
}

static int fork_often(int count) {
  int children = 0;
  for (int i = 0; i < count; ++i) {
    pid_t child = fork();
    if (child == 0) {
      pause();
      _exit(0);
    }
    children += child > 0;
  }
  printf("%d\n", children);
  fflush(stdout);
  return 0;  // with it, the container and all in it
}

int main(int argc, char** argv) {
  char text[256] = "";
  if (argc == 3 && strcmp(argv[1], "serve") == 0) return serve(atoi(argv[2]));
  if (argc == 2 && strcmp(argv[1], "uid") == 0) return printf("%d\n", (int)geteuid()) < 0;
  if (argc == 3 && strcmp(argv[1], "fork") == 0) return fork_often(atoi(argv[2]));
  if (argc == 3 && strcmp(argv[1], "eat") == 0) return eat((size_t)atoi(argv[2]));
  if (argc >= 5 && strcmp(argv[1], "call") == 0) {
    int count = argc > 5 ? atoi(argv[5]) : 1, answered = 0;
    int kind = strcmp(argv[2], "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
    for (int i = 0; i < count; ++i) answered += !call(kind, argv[3], argv[4], text, sizeof text);
    printf("%s: %d of %d\n", text, answered, count);
    return answered != count;
  }
  if (argc == 5 && strcmp(argv[1], "xattr") == 0)
    return setxattr(argv[2], argv[3], argv[4], strlen(argv[4]), 0) != 0 ? fail(argv[3]) : 0;
  if (argc == 4 && strcmp(argv[1], "xattr") == 0) {
    if (getxattr(argv[2], argv[3], text, sizeof text - 1) < 0) return fail(argv[3]);
    printf("%s\n", text);
    return 0;
  }
  return 2;
}

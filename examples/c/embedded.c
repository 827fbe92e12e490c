/* SPDX-License-Identifier: Apache-2.0 */
/* Docker in a sandbox that this program runs with runsc itself; berth only edits the spec, names the runsc options and
 * supervises dockerd.
 *
 *   embedded RUNSC BUNDLE STATE_DIR ID
 *
 * BUNDLE holds a config.json of the program's own (root file system with Docker, network namespace, limits).
 * Build: cc embedded.c $(pkg-config --cflags --libs berth). Runs as root. */
#include <berth.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static berth_loop *loop;
static berth_error *err;

/* Every function returns 0 or a negative status, and says more in *err. */
static void check(berth_status status, const char *what) {
  if (status == BERTH_OK) return;
  fprintf(stderr, "%s: %s\n", what, berth_error_to_string(err));
  exit(1);
}

/* snprintf that gives the length; what does not fit is not sent cut short. */
static size_t print(char *text, size_t size, const char *format, ...) {
  va_list values;
  va_start(values, format);
  int len = vsnprintf(text, size, format, values);
  va_end(values);
  if (len >= 0 && (size_t)len < size) return (size_t)len;
  fprintf(stderr, "too long: %s\n", text);
  exit(1);
}

/* Waits for the end of one operation and shows what comes meanwhile. Events are the only way in which berth speaks: there
 * are no callbacks. A program with an event loop of its own watches berth_loop_fd and calls berth_loop_poll instead. */
static int finish(uint64_t op, const char *what) {
  for (;;) {
    berth_event e;
    size_t n;
    check(berth_loop_wait(loop, &e, 1, &n, -1, &err), "wait");
    const char *text = berth_buffer_data(e.payload);
    if (e.kind == BERTH_EVENT_OUTPUT) {
      fwrite(text, 1, berth_buffer_size(e.payload), e.code == 1 ? stdout : stderr);
    } else if (e.kind == BERTH_EVENT_LOG && strstr(text, "\"console\":\"")) {
      /* The payload is JSON; "console" is the same as one line of text, and comes last. */
      for (const char *c = strstr(text, "\"console\":\"") + 11; *c && *c != '"'; ++c) {
        if (*c == '\\') ++c; /* an escape, as \" */
        fputc(*c, stderr);
      }
      fputc('\n', stderr);
    } else if (e.kind == BERTH_EVENT_DONE && e.op == op) {
      int code = e.code;
      if (e.status != BERTH_OK) {
        fprintf(stderr, "%s: %s\n", what, berth_error_to_string(e.err));
        exit(1);
      }
      berth_event_clear(&e);
      return code;
    }
    berth_event_clear(&e); /* frees payload and error */
  }
}

/* Runs a command in a place and shows its output. argv: a JSON array. */
static int run(berth_executor *where, const char *argv, const char *more, const char *what) {
  char options[8192];
  uint64_t op;
  size_t len = print(options, sizeof options, "{\"argv\":%s%s}", argv, more);
  check(berth_exec_start(where, options, len, NULL, &op, &err), what);
  return finish(op, what);
}

/* One runsc command on this host. verb_options: the verb's options as JSON members, each with a leading comma. */
static void runsc_command(berth_runsc *runsc, berth_executor *host, const char *globals, const char *id,
                          const char *verb, const char *verb_options) {
  char options[4096];
  berth_argv *argv;
  berth_buffer *json;
  size_t len = print(options, sizeof options, "{\"globals\":%s,\"id\":\"%s\"%s}", globals, id, verb_options);
  check(berth_argv_build(runsc, verb, strlen(verb), options, len, &argv, &err), verb);
  check(berth_argv_to_json(argv, &json, &err), verb);
  /* A detached sandbox keeps the descriptors that it was started with: it gets /dev/null. */
  int code = run(host, berth_buffer_data(json), ",\"stdout\":\"null\",\"stderr\":\"null\"", verb);
  if (code != 0) fprintf(stderr, "runsc %s: exit code %d\n", verb, code);
  if (code != 0 && strcmp(verb, "run") == 0) exit(1);
  berth_buffer_free(json);
  berth_argv_free(argv);
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: %s RUNSC BUNDLE STATE_DIR ID\n", argv[0]);
    return 2;
  }
  const char *binary = argv[1], *bundle = argv[2], *state = argv[3], *id = argv[4];
  check(berth_abi_check(BERTH_ABI_VERSION, &err), "libberth");

  /* 1. The program's own spec, with what Docker needs: capabilities, cgroups, a data root on tmpfs. */
  char path[4096], text[8192];
  berth_spec *spec;
  size_t len = print(path, sizeof path, "%s/config.json", bundle);
  check(berth_spec_load(path, len, &spec, &err), "spec");
  berth_buffer *init; /* the program that starts dockerd inside */
  check(berth_find_init(NULL, 0, &init, &err), "berth-init");
  size_t size = print(text, sizeof text, "{\"data_root\":\"tmpfs\",\"guest\":\"%s\"}", berth_buffer_data(init));
  berth_buffer_free(init);
  check(berth_spec_apply_docker(spec, text, size, NULL, &err), "spec");
  check(berth_spec_save(spec, path, len, &err), "spec");
  berth_spec_free(spec);

  /* 2. The sandbox, by the program's own runsc command. --net-raw belongs to each command that starts processes. */
  berth_loop_options options = BERTH_LOOP_OPTIONS_INIT;
  options.log_level = BERTH_LOG_DEBUG;
  check(berth_loop_create(&options, &loop, &err), "loop");
  berth_executor *host, *inside;
  check(berth_executor_create_host(loop, &host, &err), "executor");
  berth_runsc *runsc;
  check(berth_runsc_probe(binary, strlen(binary), NULL, 0, &runsc, &err), "runsc");
  char globals[4096];
  print(globals, sizeof globals, "{\"root\":\"%s/runsc\",\"debug_log\":\"%s/log\",\"net_raw\":true}", state, state);
  print(text, sizeof text, ",\"bundle\":\"%s\",\"detach\":true", bundle);
  runsc_command(runsc, host, globals, id, "run", text);

  /* 3. dockerd, started and supervised through `runsc exec`. A program with its own way of running commands uses
   *    berth_executor_create instead, and answers the requests that come as events. */
  len = print(text, sizeof text, "{\"runsc\":\"%s\",\"id\":\"%s\",\"globals\":%s}", binary, id, globals);
  check(berth_executor_create_runsc(loop, text, len, &inside, &err), "executor");
  const char *settings = "{\"restart\":\"on-failure\",\"snat\":false}"; /* snat: true where the sandbox has a network */
  berth_daemon *daemon;
  check(berth_daemon_create(inside, settings, strlen(settings), 0, &daemon, &err), "daemon");
  uint64_t op;
  check(berth_daemon_start(daemon, NULL, &op, &err), "daemon");
  finish(op, "daemon");

  /* 4. Docker is ready. */
  int code =
      run(inside, "[\"docker\",\"info\",\"--format\",\"Docker {{.ServerVersion}} on {{.KernelVersion}}\"]", "", "info");

  /* 5. The end, in order: containers and dockerd, then the sandbox. */
  check(berth_daemon_stop(daemon, NULL, &op, &err), "stop");
  finish(op, "stop");
  runsc_command(runsc, host, globals, id, "kill", ",\"signal\":9");
  runsc_command(runsc, host, globals, id, "delete", ",\"force\":true");
  berth_daemon_free(daemon);
  berth_executor_free(inside);
  berth_executor_free(host);
  berth_runsc_free(runsc);
  berth_loop_free(loop);
  return code;
}

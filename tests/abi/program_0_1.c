/* SPDX-License-Identifier: Apache-2.0 */
/* A program as it was compiled for berth 0.1, with the declarations that it had then: it must go on to run with every
 * later libberth.so.1. This file is never brought up to date. */
#include <stdint.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef int32_t berth_status;
typedef struct berth_error berth_error;
typedef struct berth_buffer berth_buffer;
typedef struct berth_spec berth_spec;
typedef struct berth_loop berth_loop;
typedef struct berth_executor berth_executor;
typedef struct berth_event {
  uint32_t size, kind;
  uint64_t op, user_data;
  int32_t status, code;
  uint64_t t_mono_ns;
  berth_error *err;
  void *payload;
  uint64_t reserved;
} berth_event;
typedef struct berth_loop_options {
  uint32_t struct_size;
  int32_t log_level;
  uint64_t user_data, queue_limit, output_limit, reserved[4];
} berth_loop_options;
typedef struct berth_op_options {
  uint32_t struct_size, flags;
  uint64_t user_data, deadline_ns, reserved[3];
} berth_op_options;

berth_status berth_abi_check(uint32_t compiled, berth_error **err);
uint64_t berth_now_ns(void);
berth_status berth_error_code(const berth_error *error);
const char *berth_error_path(const berth_error *error);
void berth_error_free(berth_error *error);
const char *berth_buffer_data(const berth_buffer *buffer);
void berth_buffer_free(berth_buffer *buffer);
berth_status berth_spec_parse(const char *json, size_t json_len, berth_spec **spec, berth_error **err);
berth_status berth_spec_apply_docker(berth_spec *spec, const char *options, size_t options_len, berth_buffer **seen_to,
                                     berth_error **err);
berth_status berth_spec_to_json(const berth_spec *spec, berth_buffer **json, berth_error **err);
void berth_spec_free(berth_spec *spec);
berth_status berth_loop_create(const berth_loop_options *options, berth_loop **loop, berth_error **err);
berth_status berth_loop_wait(berth_loop *loop, berth_event *events, size_t cap, size_t *count, int32_t timeout_ms,
                             berth_error **err);
void berth_loop_free(berth_loop *loop);
void berth_event_clear(berth_event *event);
berth_status berth_op_cancel(berth_loop *loop, uint64_t op, berth_error **err);
berth_status berth_executor_create_host(berth_loop *loop, berth_executor **executor, berth_error **err);
void berth_executor_free(berth_executor *executor);
berth_status berth_exec_start(berth_executor *executor, const char *options, size_t options_len,
                              const berth_op_options *op_options, uint64_t *op, berth_error **err);

#define CHECK(condition)                                      \
  do {                                                        \
    if (!(condition)) {                                       \
      fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
      return 1;                                               \
    }                                                         \
  } while (0)

/* Runs `options` and gives the status of its end; `cancel`: it is cancelled once it has started. */
static int run(berth_loop *loop, berth_executor *host, const char *options, uint64_t deadline, int cancel,
               int32_t *code, char *output) {
  berth_op_options how = {sizeof how, 0, 99, deadline, {0, 0, 0}};
  uint64_t op = 0;
  if (berth_exec_start(host, options, strlen(options), &how, &op, NULL) != 0) return 1;
  for (;;) {
    berth_event e;
    size_t n = 0;
    if (berth_loop_wait(loop, &e, 1, &n, 60000, NULL) != 0 || n != 1 || e.user_data != 99 || e.op != op) return 2;
    if (e.kind == 2 && cancel) berth_op_cancel(loop, op, NULL);
    if (e.kind == 3) strncat(output, berth_buffer_data(e.payload), 100);
    if (e.kind == 1) {
      int status = e.status;
      *code = e.code;
      berth_event_clear(&e);
      return status;
    }
    berth_event_clear(&e);
  }
}

int main(void) {
  berth_error *err = NULL;
  CHECK(berth_abi_check(1, &err) == 0);

  const char *json = "{\"ociVersion\":\"1.1.0\",\"process\":{\"args\":[\"sh\"]}}",
             *wrong = "{\"ociVersion\":\"1.1.0\",\"hostname\":1}";
  berth_spec *spec = NULL;
  berth_buffer *text = NULL;
  CHECK(berth_spec_parse(wrong, strlen(wrong), &spec, &err) == -23 && berth_error_code(err) == -23);
  CHECK(strcmp(berth_error_path(err), "/hostname") == 0);
  berth_error_free(err);
  CHECK(berth_spec_parse(json, strlen(json), &spec, &err) == 0);
  CHECK(berth_spec_apply_docker(spec, "{\"cgroup\":\"sandbox\",\"data_root\":\"tmpfs\"}", 40, NULL, &err) == 0);
  CHECK(berth_spec_to_json(spec, &text, &err) == 0);
  CHECK(strstr(berth_buffer_data(text), "CAP_SYS_ADMIN") != NULL);
  berth_buffer_free(text);
  berth_spec_free(spec);

  berth_loop_options options = {sizeof options, 2, 5, 0, 0, {0, 0, 0, 0}};
  berth_loop *loop = NULL;
  berth_executor *host = NULL;
  int32_t code = -1;
  char output[200] = "";
  CHECK(berth_loop_create(&options, &loop, &err) == 0);
  CHECK(berth_executor_create_host(loop, &host, &err) == 0);
  CHECK(run(loop, host, "{\"argv\":[\"sh\",\"-c\",\"echo $A; exit 4\"],\"env\":[\"A=old\"]}", 0, 0, &code, output) ==
        0);
  CHECK(code == 4 && strcmp(output, "old\n") == 0);
  CHECK(run(loop, host, "{\"argv\":[\"sleep\",\"600\"]}", 0, 1, &code, output) == -6);
  CHECK(run(loop, host, "{\"argv\":[\"sleep\",\"600\"]}", berth_now_ns() + 50000000, 0, &code, output) == -7);
  berth_executor_free(host);
  berth_loop_free(loop);
  return 0;
}

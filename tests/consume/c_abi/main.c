/* SPDX-License-Identifier: Apache-2.0 */
/* A C program that uses an installed berth: a spec changed, an error told, a command run on a loop. */
#include <berth.h>

#include <stdio.h>
#include <string.h>

int main(void) {
  const char *json = "{\"ociVersion\":\"1.1.0\",\"process\":{\"args\":[\"sh\"]}}";
  const char *command = "{\"argv\":[\"true\"]}";
  berth_error *err = NULL;
  berth_spec *spec = NULL;
  berth_loop *loop = NULL;
  berth_executor *host = NULL;
  uint64_t op = 0;
  int code = -1;

  if (berth_abi_check(BERTH_ABI_VERSION, &err) != BERTH_OK) return 1;
  if (berth_spec_parse(json, strlen(json), &spec, &err) != BERTH_OK) return 2;
  if (berth_spec_apply_docker(spec, NULL, 0, NULL, &err) != BERTH_OK) return 3;
  berth_spec_free(spec);
  /* An exception of the library's own is caught within it. */
  if (berth_spec_parse("{", 1, &spec, &err) != BERTH_E_SPEC_SYNTAX || spec != NULL) return 4;
  printf("%s: %s\n", berth_status_name(berth_error_code(err)), berth_error_message(err));
  berth_error_free(err);
  if (berth_loop_create(NULL, &loop, &err) != BERTH_OK) return 5;
  if (berth_executor_create_host(loop, &host, &err) != BERTH_OK) return 6;
  if (berth_exec_start(host, command, strlen(command), NULL, &op, &err) != BERTH_OK) return 7;
  while (code < 0) {
    berth_event event;
    size_t n = 0;
    if (berth_loop_wait(loop, &event, 1, &n, 60000, &err) != BERTH_OK || n == 0) return 8;
    if (event.kind == BERTH_EVENT_DONE) code = event.status == BERTH_OK ? event.code : 9;
    berth_event_clear(&event);
  }
  berth_executor_free(host);
  berth_loop_free(loop);
  printf("berth %s\n", berth_version_string());
  return code;
}

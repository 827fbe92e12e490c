/* SPDX-License-Identifier: Apache-2.0 */
/* What cgo needs beside the C interface. */
#ifndef BERTH_GO_H
#define BERTH_GO_H

#include "berth.h"

#if BERTH_ABI_VERSION != 0
#error "these bindings are for version 0 of berth's C interface"
#endif

/* A handle must not stand in a Go pointer variable that the garbage collector looks at, as event.payload would. */
static inline berth_buffer *berth_go_payload(const berth_event *event) { return (berth_buffer *)event->payload; }

/* One call where there would be four: the whole operation on a spec that lies in memory. */
static inline berth_status berth_go_apply_docker(const char *json, size_t json_len, const char *options,
                                                 size_t options_len, int telling, berth_buffer **seen_to,
                                                 berth_buffer **out, berth_error **err) {
  berth_spec *spec;
  *out = NULL;
  *seen_to = NULL;
  berth_status status = berth_spec_parse(json, json_len, &spec, err);
  if (status == BERTH_OK) status = berth_spec_apply_docker(spec, options, options_len, telling ? seen_to : NULL, err);
  if (status == BERTH_OK) status = berth_spec_to_json(spec, out, err);
  berth_spec_free(spec);
  if (status != BERTH_OK) {
    berth_buffer_free(*seen_to);
    *seen_to = NULL;
  }
  return status;
}

#endif

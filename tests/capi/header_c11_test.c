/* SPDX-License-Identifier: Apache-2.0 */
/* The header as a C11 program sees it, with the sizes and offsets that bindings copy. */
#include <berth.h>

#include <stddef.h>

_Static_assert(sizeof(berth_event) == 64, "berth_event is 64 bytes in every version");
_Static_assert(_Alignof(berth_event) == 8, "");
_Static_assert(offsetof(berth_event, size) == 0, "");
_Static_assert(offsetof(berth_event, kind) == 4, "");
_Static_assert(offsetof(berth_event, op) == 8, "");
_Static_assert(offsetof(berth_event, user_data) == 16, "");
_Static_assert(offsetof(berth_event, status) == 24, "");
_Static_assert(offsetof(berth_event, code) == 28, "");
_Static_assert(offsetof(berth_event, t_mono_ns) == 32, "");
_Static_assert(offsetof(berth_event, err) == 40, "");
_Static_assert(offsetof(berth_event, payload) == 48, "");
_Static_assert(offsetof(berth_event, reserved) == 56, "");

_Static_assert(sizeof(berth_loop_options) == 64, "");
_Static_assert(offsetof(berth_loop_options, struct_size) == 0, "");
_Static_assert(offsetof(berth_loop_options, log_level) == 4, "");
_Static_assert(offsetof(berth_loop_options, user_data) == 8, "");
_Static_assert(offsetof(berth_loop_options, queue_limit) == 16, "");
_Static_assert(offsetof(berth_loop_options, output_limit) == 24, "");
_Static_assert(offsetof(berth_loop_options, reserved) == 32, "");

_Static_assert(sizeof(berth_op_options) == 48, "");
_Static_assert(offsetof(berth_op_options, struct_size) == 0, "");
_Static_assert(offsetof(berth_op_options, flags) == 4, "");
_Static_assert(offsetof(berth_op_options, user_data) == 8, "");
_Static_assert(offsetof(berth_op_options, deadline_ns) == 16, "");
_Static_assert(offsetof(berth_op_options, reserved) == 24, "");

_Static_assert(sizeof(berth_status) == 4, "");
_Static_assert((berth_status)-1 < 0, "berth_status is signed");

/* Called by layout_test.cpp: what C sees must be what C++ sees. */
size_t berth_test_c_sizes(size_t which);
size_t berth_test_c_sizes(size_t which) {
  const berth_loop_options loop = BERTH_LOOP_OPTIONS_INIT;
  const berth_op_options op = BERTH_OP_OPTIONS_INIT;
  switch (which) {
    case 0: return sizeof(berth_event);
    case 1: return sizeof(berth_loop_options);
    case 2: return sizeof(berth_op_options);
    case 3: return loop.struct_size;
    case 4: return op.struct_size;
    default: return 0;
  }
}

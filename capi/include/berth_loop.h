/* SPDX-License-Identifier: Apache-2.0 */
/* berth: the loop. One loop is one internal thread; what takes time runs there and is reported by events.
 *
 * Threads: every function here may be called from any thread at any time, also for one loop at once.
 * After fork, in the child: BERTH_E_FORKED (the thread does not exist there); make a new loop.
 *
 * An operation: a function that starts something takes a `const berth_op_options *` and gives an op id. Ids are never
 * used twice in a process. Each op has exactly one BERTH_EVENT_DONE, which is its last event; cancelling or closing the
 * loop does not take it away. A function that fails starts nothing and gives op 0.
 */
#ifndef BERTH_LOOP_H
#define BERTH_LOOP_H

#include "berth_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What came of something, or a request to the caller. 64 bytes, the same in every version.
 * Unknown kinds must be cleared and passed over. */
typedef struct berth_event {
  uint32_t size;      /* 64 */
  uint32_t kind;      /* BERTH_EVENT_… */
  uint64_t op;        /* the operation or request, or 0 */
  uint64_t user_data; /* as given with the operation or object */
  int32_t status;     /* berth_status, for BERTH_EVENT_DONE */
  int32_t code;       /* by kind: see there */
  uint64_t t_mono_ns; /* when it happened, CLOCK_MONOTONIC */
  berth_error *err;   /* [out,own] when status is not 0 */
  void *payload;      /* [out,own] a berth_buffer, or NULL */
  uint64_t reserved;  /* 0 */
} berth_event;

enum {
  BERTH_EVENT_NONE = 0,
  BERTH_EVENT_DONE = 1,         /* the operation ended; status, err; code and payload as its function says */
  BERTH_EVENT_STARTED = 2,      /* a command runs; code: its pid where it runs, or 0 when not known */
  BERTH_EVENT_OUTPUT = 3,       /* code: 1 stdout, 2 stderr; payload: bytes as they came */
  BERTH_EVENT_LOG = 4,          /* code: BERTH_LOG_…; payload: {"level","message","fields":{…},"console"}; op is 0;
                                    user_data: of the daemon or sandbox that it is about, or where that is 0 the loop's */
  BERTH_EVENT_DAEMON_STATE = 5, /* code: BERTH_DAEMON_…; payload: as berth_daemon_status; op is 0 */
  BERTH_EVENT_DAEMON_LINE = 6,  /* code: 1 stdout, 2 stderr; payload: one line of dockerd's; op is 0 */
  BERTH_EVENT_CLOSED = 7,       /* the last event of a loop that was closed */
  BERTH_EVENT_SANDBOX = 8,      /* of berth_sandbox_events; payload: what happened in a sandbox */
  /* Requests of a caller's executor (berth_exec.h). op: the request that the caller answers to. */
  BERTH_EVENT_REQUEST_EXEC = 16,        /* payload: {"argv":[…],"env":[…],"cwd","user","stdin":true|false} */
  BERTH_EVENT_REQUEST_STDIN = 17,       /* payload: bytes for the command's stdin */
  BERTH_EVENT_REQUEST_STDIN_CLOSE = 18, /* the end of its stdin */
  BERTH_EVENT_REQUEST_SIGNAL = 19,      /* code: the signal to send to the command */
  BERTH_EVENT_REQUEST_ABANDON = 20      /* nobody waits for it any more: end it; no answer is needed */
};

enum { BERTH_LOG_NONE = 0, BERTH_LOG_DEBUG = 1, BERTH_LOG_INFO = 2, BERTH_LOG_WARN = 3, BERTH_LOG_ERROR = 4 };

/* Structures that callers fill in begin with their size, as in clone3: a smaller one is filled up with zeros, a larger
 * one is taken only when what is beyond the library's knowledge is zero (else BERTH_E_TOO_BIG). All zero is the
 * default. */

typedef struct berth_loop_options {
  uint32_t struct_size;  /* sizeof(berth_loop_options) */
  int32_t log_level;     /* least BERTH_LOG_… that becomes an event; BERTH_LOG_NONE: no log events */
  uint64_t user_data;    /* of log events and BERTH_EVENT_CLOSED */
  uint64_t queue_limit;  /* log and line events beyond this many waiting ones are dropped; 0: 65536 */
  uint64_t output_limit; /* bytes of one command's output that may wait before it is made to wait, each event counting
                             for 256 more; 0: 1 MiB */
  uint64_t reserved[4];
} berth_loop_options;

typedef struct berth_op_options {
  uint32_t struct_size; /* sizeof(berth_op_options) */
  uint32_t flags;       /* 0 */
  uint64_t user_data;   /* handed back in the operation's events */
  uint64_t deadline_ns; /* absolute, as berth_now_ns; 0: none. Past it the operation ends with BERTH_E_TIMEOUT */
  uint64_t reserved[3];
} berth_op_options;

/* What a structure begins as: berth_op_options how = BERTH_OP_OPTIONS_INIT; the functions below do the same. */
#define BERTH_LOOP_OPTIONS_INIT                                      \
  {                                                                  \
    (uint32_t)sizeof(berth_loop_options), 0, 0, 0, 0, { 0, 0, 0, 0 } \
  }
#define BERTH_OP_OPTIONS_INIT                                \
  {                                                          \
    (uint32_t)sizeof(berth_op_options), 0, 0, 0, { 0, 0, 0 } \
  }

/* Zero the structure and set struct_size. `size` is sizeof of the caller's. NULL or a size below 4 does nothing. */
BERTH_API void berth_loop_options_init(berth_loop_options *options, size_t size);
BERTH_API void berth_op_options_init(berth_op_options *options, size_t size);

/* Starts a loop, with its thread, all signals blocked there. options may be NULL. [out,own] loop. */
BERTH_API berth_status berth_loop_create(const berth_loop_options *options, berth_loop **loop, berth_error **err);

/* [out,borrow] A nonblocking eventfd, readable while events wait; for poll, epoll, asyncio, a Go os.File (of a dup).
 * Reading its 8 bytes is allowed and never needed: berth_loop_poll empties it with the last event. Valid until the loop
 * is freed; do not close it. */
BERTH_API berth_status berth_loop_fd(berth_loop *loop, int32_t *fd, berth_error **err);

/* Takes up to cap events, oldest first, into events[0..*count). Never blocks. The caller owns their err and payload:
 * berth_event_clear. When *count == cap there may be more. BERTH_E_CLOSED after BERTH_EVENT_CLOSED was taken. */
BERTH_API berth_status berth_loop_poll(berth_loop *loop, berth_event *events, size_t cap, size_t *count,
                                       berth_error **err);

/* The same, waiting up to timeout_ms for the first event; negative: without limit. None in time: BERTH_OK with *count
 * 0. Several threads may wait; each event goes to one of them. Freeing the loop ends the wait with BERTH_E_CLOSED. */
BERTH_API berth_status berth_loop_wait(berth_loop *loop, berth_event *events, size_t cap, size_t *count,
                                       int32_t timeout_ms, berth_error **err);

/* Ends the loop: new operations are refused with BERTH_E_CLOSED, those that run are cancelled and clean up, each with
 * its BERTH_EVENT_DONE; a dockerd that the loop supervises is ended; then comes BERTH_EVENT_CLOSED. Does not wait.
 * Again: does nothing. */
BERTH_API berth_status berth_loop_close(berth_loop *loop, berth_error **err);

/* Closes, waits until all has cleaned up (not to wait here: berth_loop_close, and BERTH_EVENT_CLOSED first), drops the
 * events that nobody took and ends the thread. In a child after fork: forgets the loop. Objects of this loop may be
 * freed before or after. */
BERTH_API void berth_loop_free(berth_loop *loop);

/* Asks one operation to end. It still has its BERTH_EVENT_DONE: BERTH_E_CANCELLED, or its result if that came first.
 * An op that has ended, or was cancelled already: BERTH_OK, and nothing happens. */
BERTH_API berth_status berth_op_cancel(berth_loop *loop, uint64_t op, berth_error **err);

/* Frees err and payload and zeroes the event. NULL or a cleared event: does nothing. */
BERTH_API void berth_event_clear(berth_event *event);

#ifdef __cplusplus
}
#endif

#endif

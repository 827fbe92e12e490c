/* SPDX-License-Identifier: Apache-2.0 */
/* berth: running commands somewhere, and waiting until something is ready.
 *
 * Threads: any, at any time. Everything here belongs to a loop (berth_loop.h) and reports by its events.
 */
#ifndef BERTH_EXEC_H
#define BERTH_EXEC_H

#include "berth_loop.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Places. [out,own] executor; freeing it lets what runs there go on to its end. ---- */

/* This host; "user" must be empty. */
BERTH_API berth_status berth_executor_create_host(berth_loop *loop, berth_executor **executor, berth_error **err);
/* A container that the caller made, by `runsc exec`. options: {"runsc":"/path","id":"…","globals":{"root":"/run/x",
 * "net_raw":true},"cache_dir":""}; "globals" as in berth_argv_build (dockerd needs net_raw in exec too), the binary is
 * probed as by berth_runsc_probe. "user" of commands: numbers only. */
BERTH_API berth_status berth_executor_create_runsc(berth_loop *loop, const char *options, size_t options_len,
                                                   berth_executor **executor, berth_error **err);
/* A sandbox of berth's own. */
BERTH_API berth_status berth_executor_create_sandbox(berth_sandbox *sandbox, berth_executor **executor,
                                                     berth_error **err);
/* The caller's way: each command becomes a BERTH_EVENT_REQUEST_EXEC with `user_data`, which the caller answers by the
 * four functions below, giving the event's op: once started or failed; then output as it comes; then exited or failed.
 */
BERTH_API berth_status berth_executor_create(berth_loop *loop, uint64_t user_data, berth_executor **executor,
                                             berth_error **err);
BERTH_API void berth_executor_free(berth_executor *executor);

/* Answers. A request that has ended or is not this executor's: BERTH_E_NOT_FOUND; one out of order: BERTH_E_STATE.
 * pid: as seen where it runs, or 0. */
BERTH_API berth_status berth_executor_started(berth_executor *executor, uint64_t op, int32_t pid, berth_error **err);
/* stream: 1 stdout, 2 stderr. */
BERTH_API berth_status berth_executor_output(berth_executor *executor, uint64_t op, int32_t stream, const char *data,
                                             size_t data_len, berth_error **err);
/* signal: 0 when it exited by itself with exit_code. */
BERTH_API berth_status berth_executor_exited(berth_executor *executor, uint64_t op, int32_t exit_code, int32_t signal,
                                             berth_error **err);
/* It could not be started, or is lost. status: a BERTH_E_ code. */
BERTH_API berth_status berth_executor_failed(berth_executor *executor, uint64_t op, berth_status status,
                                             const char *message, size_t message_len, berth_error **err);

/* ---- Commands. ---- */

/* Runs a command. options: {"argv":[…],"env":["K=V",…],"cwd":"/","user":"1000:1000","stdin":"null"|"pipe"|"text",
 * "stdin_text":"…","stdout":"events"|"capture"|"null","stderr":…,"capture_limit":bytes}; only argv is needed, output
 * comes by events unless captured. Events: BERTH_EVENT_STARTED, BERTH_EVENT_OUTPUT as it comes, BERTH_EVENT_DONE after
 * the last output with code: the exit code, or 128 + the signal; payload: {"exit_code","signal","stdout","stderr"},
 * the last two only when captured (not UTF-8: as "stdout_base64"). A non-zero exit has status BERTH_OK. When it is
 * cancelled or the deadline passes, the command is killed. */
BERTH_API berth_status berth_exec_start(berth_executor *executor, const char *options, size_t options_len,
                                        const berth_op_options *op_options, uint64_t *op, berth_error **err);
/* Writes to the stdin of command `exec_op` ("stdin":"pipe"), after what was written before; an operation of its own,
 * done when all is written: wait for it before the next, to be held back by a slow reader. */
BERTH_API berth_status berth_exec_write(berth_loop *loop, uint64_t exec_op, const char *data, size_t data_len,
                                        const berth_op_options *op_options, uint64_t *op, berth_error **err);
/* Ends its stdin, after what was written before. */
BERTH_API berth_status berth_exec_close_stdin(berth_loop *loop, uint64_t exec_op, berth_error **err);
/* Stops (hold 1) or resumes (0) the taking of a running command's output, for a reader that is slow: what has been taken
 * still comes as events, then the command is made to wait, its end too. A caller's own executor is not held. A command
 * that has not started or has ended: BERTH_OK, and nothing happens. */
BERTH_API berth_status berth_exec_hold(berth_loop *loop, uint64_t exec_op, int32_t hold, berth_error **err);
/* Sends a signal to the command itself; an operation of its own. */
BERTH_API berth_status berth_exec_signal(berth_loop *loop, uint64_t exec_op, int32_t signal,
                                         const berth_op_options *op_options, uint64_t *op, berth_error **err);

/* ---- Readiness. ---- */

/* Asks again and again until ready. options: {"probe":{"type":"connect"|"http"|"command", "unix":"/path" (and
 * "guarded":true where a sandbox may write) or "host":"127.0.0.1","port":N; "target":"/_ping"; "argv":[…],"env","cwd",
 * "user"}, "schedule":"cheap"|"costly"|{"first_ms","max_ms","factor","jitter","attempt_timeout_ms"}}.
 * executor: where a command probe runs, else NULL. BERTH_EVENT_DONE: code: probes asked; payload: {"status","attempts",
 * "elapsed_ms","connected","last"}. Thousands may run on one loop. */
BERTH_API berth_status berth_poll_start(berth_loop *loop, berth_executor *executor, const char *options,
                                        size_t options_len, const berth_op_options *op_options, uint64_t *op,
                                        berth_error **err);
/* Tells a poll that the process behind it has ended: it stops at once with BERTH_E_PROCESS_EXITED. */
BERTH_API berth_status berth_poll_notify_exit(berth_loop *loop, uint64_t poll_op, int32_t exit_code, int32_t signal,
                                              berth_error **err);

#ifdef __cplusplus
}
#endif

#endif

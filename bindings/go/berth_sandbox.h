/* SPDX-License-Identifier: Apache-2.0 */
/* berth: dockerd supervised in a sandbox, and sandboxes of berth's own.
 *
 * Threads: any, at any time. Everything here belongs to a loop (berth_loop.h) and reports by its events.
 */
#ifndef BERTH_SANDBOX_H
#define BERTH_SANDBOX_H

#include "berth_exec.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The supervisor, for a sandbox that berth does not own. ---- */

enum {
  BERTH_DAEMON_DISABLED = 0,
  BERTH_DAEMON_NOT_PRESENT = 1,
  BERTH_DAEMON_STARTING = 2,
  BERTH_DAEMON_READY = 3,
  BERTH_DAEMON_FAILED = 4,
  BERTH_DAEMON_STOPPED = 5
};

/* Makes a supervisor whose commands run in `executor` (which may be freed afterwards). Nothing is started yet.
 * options: JSON, NULL for the defaults: {"ready_timeout_ms":30000, "restart":"never"|"on-failure","restart_limit":5,
 * "host_socket":"/path", "daemon_lines":false, "events":true, …} (docs/reference/c-abi.md). With "events" each change
 * of state is a BERTH_EVENT_DAEMON_STATE, with "daemon_lines" each line of dockerd's a BERTH_EVENT_DAEMON_LINE, both
 * with `user_data`. [out,own] daemon. */
BERTH_API berth_status berth_daemon_create(berth_executor *executor, const char *options, size_t options_len,
                                           uint64_t user_data, berth_daemon **daemon, berth_error **err);
/* Ends the supervision; a dockerd that still runs is killed: berth_daemon_stop, and its BERTH_EVENT_DONE, first for a
 * graceful end. Operations under way end with BERTH_E_CLOSED. */
BERTH_API void berth_daemon_free(berth_daemon *daemon);

/* Checks, prepares, starts and waits until ready; then goes on supervising. The error carries phase, attempts, exit
 * code, dockerd's last lines and a hint where the symptom is known. */
BERTH_API berth_status berth_daemon_start(berth_daemon *daemon, const berth_op_options *op_options, uint64_t *op,
                                          berth_error **err);
/* Waits until ready, or until a state from which it will not become so. */
BERTH_API berth_status berth_daemon_wait_ready(berth_daemon *daemon, const berth_op_options *op_options, uint64_t *op,
                                               berth_error **err);
/* Stops containers, then TERM, then KILL, each with its deadline. */
BERTH_API berth_status berth_daemon_stop(berth_daemon *daemon, const berth_op_options *op_options, uint64_t *op,
                                         berth_error **err);
/* As last known; does not wait. [out,own] json:
 * {"state":"ready","pid","ready_after_ms","restarts","failure":null|{"code","phase","message",
 * "reason","elapsed_ms","attempts","exit_code","signal","last_probe","output","hint_id","hint"}}. */
BERTH_API berth_status berth_daemon_status(berth_daemon *daemon, berth_buffer **json, berth_error **err);

/* ---- What Docker's failures mean. ---- */

/* Looks for known symptoms in text, what docker, dockerd, runc or runsc printed: any bytes, looked through in one pass.
 * runsc: [in] the binary that the sandbox runs on, or NULL where it is not known: what an older release causes is then
 * found, too. [out,own] found: [{"id":"BERTH-FREEZER","cause","remedy","reference","evidence"}], the most telling first;
 * [] where nothing known is in it. evidence is the line that shows it, cut at 400 bytes and without control characters.
 * Blocks for nothing, belongs to no loop. BERTH_E_INVALID: found is NULL. */
BERTH_API berth_status berth_docker_diagnose(const char *text, size_t text_len, const berth_runsc *runsc,
                                             berth_buffer **found, berth_error **err);

/* ---- Sandboxes. ---- */

/* `where`, in all of these: where berth keeps its state and finds its helpers; JSON, NULL for the defaults:
 * {"root":"/var/lib/berth","runsc":"","init":"","network_pool":""}. */

/* berth-init on this host: what berth_spec_apply_docker's "guest" is to name in a sandbox of your own. [out,own] path.
 * BERTH_E_NOT_FOUND, with where it was looked for. */
BERTH_API berth_status berth_find_init(const char *where, size_t where_len, berth_buffer **path, berth_error **err);

/* What this machine has of what berth needs, lacks, or has in a form that does not do; and, where rootfs is not NULL, of the Docker
 * in that root file system. [out,own] json: {"ok":true,"checks":[{"name":"runsc","state":"found","needed":true,"found":"…",
 * "remedy":"…"}]}, in order; state is "found", "missing" or "unfit", "found" what is there or why it does not do, "remedy" only where there
 * is one. "ok": all that is needed is found. Blocks, for half a second the first time. */
BERTH_API berth_status berth_check_machine(const char *where, size_t where_len, const char *rootfs, size_t rootfs_len,
                                           berth_buffer **json, berth_error **err);

/* Makes and starts a sandbox. config: {"rootfs":"/dir", "id","cpus","memory_bytes","network":"sandbox"|"none"|"/path",
 * "max_connections":4096,"egress":["all"],"publish":["8080:80"] (ports of the host's: [ADDRESS:]HOST-PORT:PORT[/udp]),"hostname","env":[…],"cwd","mounts":[{"source","destination","read_only"}],"annotations":{…},"runsc_args":[…],
 * "spec_patch":{…} (a merge patch, the last word on the spec), "docker":{"enabled":true,"cgroup","data_root",
 * "ready_timeout_ms",…}}. The handle is given at once [out,own] and can be used once the operation is
 * done (BERTH_E_STATE before); payload: {"id":"…"}. Whatever fails, all that was made is removed again; cancelling does
 * the same. Freeing a handle does nothing to the sandbox.
 * dockerd is started with it and kept by the sandbox's guest; its state events have this operation's user_data.
 * {"snapshot":"NAME"} in place of "rootfs": the sandbox goes on where the saved one was, with its Docker; of the other options it may have
 * those then that berth_options_json has as "restored" ("network" where that is a path), and
 * anything else is BERTH_E_INVALID. BERTH_E_NOT_FOUND: there is no such snapshot; BERTH_E_UNSUPPORTED: it does not fit this machine. */
BERTH_API berth_status berth_sandbox_create(berth_loop *loop, const char *where, size_t where_len, const char *config,
                                            size_t config_len, const berth_op_options *op_options,
                                            berth_sandbox **sandbox, uint64_t *op, berth_error **err);
/* Finds one by id, also one of another process. [out,own] sandbox, usable once the operation is done. */
BERTH_API berth_status berth_sandbox_attach(berth_loop *loop, const char *where, size_t where_len, const char *id,
                                            size_t id_len, const berth_op_options *op_options, berth_sandbox **sandbox,
                                            uint64_t *op, berth_error **err);
BERTH_API void berth_sandbox_free(berth_sandbox *sandbox);

/* [out,own] id. */
BERTH_API berth_status berth_sandbox_id(berth_sandbox *sandbox, berth_buffer **id, berth_error **err);
/* payload: all that is known of it, as `berth status --json` has it (docs/reference/managed.md): {"id",
 * "state":"creating"|"running"|"paused"|"asleep"|"hibernated"|"unresponsive"|"stopped"|"lost"|"damaged","exit_reason":""|"ended"|"out_of_memory",
 * "memory_kills","network":{"mode","address","max_connections","refused_connections","egress","refused_egress",…},
 * "docker":{"wanted","state",…},…}. exit_reason is empty while it runs; "out_of_memory": the kernel killed it at its memory
 * limit. memory_kills is how many programs it has killed for that, also in a sandbox that goes on: where it grew while a command
 * ran that ended with 137, that is why. refused_connections is how many flows were dropped since it held max_connections. */
BERTH_API berth_status berth_sandbox_state(berth_sandbox *sandbox, const berth_op_options *op_options, uint64_t *op,
                                           berth_error **err);
/* As berth_exec_start, in the sandbox. */
BERTH_API berth_status berth_sandbox_exec(berth_sandbox *sandbox, const char *options, size_t options_len,
                                          const berth_op_options *op_options, uint64_t *op, berth_error **err);
/* Stops everything inside where it is, until resumed, by whatever process: nothing runs there or takes CPU time, its memory
 * stays, and what is connected to it waits. Commands get BERTH_E_SANDBOX_NOT_RUNNING meanwhile; dockerd's state stays as it
 * was. One that is paused, or runs, already is left so. */
BERTH_API berth_status berth_sandbox_pause(berth_sandbox *sandbox, const berth_op_options *op_options, uint64_t *op,
                                           berth_error **err);
BERTH_API berth_status berth_sandbox_resume(berth_sandbox *sandbox, const berth_op_options *op_options, uint64_t *op,
                                            berth_error **err);
/* Saves all that runs in it to the disk and ends it there: it takes no memory until its next use, of whatever process, or
 * berth_sandbox_resume, goes on from there. BERTH_E_STATE where something in it cannot be cut off now. */
BERTH_API berth_status berth_sandbox_hibernate(berth_sandbox *sandbox, const berth_op_options *op_options, uint64_t *op,
                                               berth_error **err);
/* The ports that it is reached by. payload: {"ports":["127.0.0.1:8080:80/tcp"],"containers":[{"container":"ID","name":"web",
 * "ports":["0.0.0.0:80:8000/tcp"]}]}. "ports": of this host, that lead to it, as "publish" and its state have them; "containers":
 * those in it that publish ports of the sandbox's, as far as its Docker is ready and tells the truth. */
BERTH_API berth_status berth_sandbox_ports(berth_sandbox *sandbox, const berth_op_options *op_options, uint64_t *op,
                                           berth_error **err);
/* What each of its containers that run takes, by its cgroups: `docker stats` has zeros in a sandbox. payload: [{"container":"ID",
 * "name":"web","memory_bytes":471040,"memory_limit_bytes":null,"cpu_ns":880000000,"processes":2}]; null: it has none, or is not known.
 * The sandbox's word. */
BERTH_API berth_status berth_sandbox_container_stats(berth_sandbox *sandbox, const berth_op_options *op_options,
                                                     uint64_t *op, berth_error **err);
/* Where the sandbox may begin connections to, how many packets of its own were refused so far, and where those of the last hour were
 * to go, by TCP or UDP (1024 addresses and ports at most, the latest first). payload: {"egress":["10.0.0.0/8","dns"],"refused":12,
 * "refused_places":[{"to":"192.0.2.7:443/tcp","packets":3,"seconds_ago":2}],"addresses":[{"name":"www.example.com","address":
 * "192.0.2.9","rule":"*.example.com:443/tcp","seconds_left":290}],"refused_names":[{"name":"example.net","questions":2,
 * "seconds_ago":1}]}: the addresses that names in the rules have, as far as it asked for them, and the names that it asked for
 * and that are in none (256 at most, the latest first). BERTH_E_UNSUPPORTED where berth does not make its network;
 * BERTH_E_NETWORK_FAILED where its firewall rules are gone. */
BERTH_API berth_status berth_sandbox_egress(berth_sandbox *sandbox, const berth_op_options *op_options, uint64_t *op,
                                            berth_error **err);
/* Changes that, at once and wholly. rules: a JSON array of strings: ["all"], ["none"], or "dns" (port 53 of its name servers)
 * and any number of "ADDRESS[/PREFIX][:PORT[-PORT]][/tcp|/udp]" (a port alone is one of TCP), where a name, or "*.NAME" for
 * those below it, may stand in place of the address. What is open and not allowed any
 * more is refused from its next packet on; answers to who reaches the sandbox are not held to it. payload: as above.
 * BERTH_E_INVALID at once where the rules are none. */
BERTH_API berth_status berth_sandbox_set_egress(berth_sandbox *sandbox, const char *rules, size_t rules_len,
                                                const berth_op_options *op_options, uint64_t *op, berth_error **err);
/* What is wrong with it, by its status, logs, cgroup and the versions of runsc and Docker, the most telling first; nothing where
 * nothing is known. payload: {"id","state","ok":false,"findings":[{"id":"BERTH-…","cause","remedy","reference","evidence",
 * "source"}]}; "BERTH-UNKNOWN" has the last lines as evidence and no remedy. Changes nothing. */
BERTH_API berth_status berth_sandbox_diagnose(berth_sandbox *sandbox, const berth_op_options *op_options, uint64_t *op,
                                              berth_error **err);
/* One that was made with "ends_with_creator" does not end with the process that made it any more; with "ends_with_process" and
 * after "lifetime_ms" it still does. */
BERTH_API berth_status berth_sandbox_hand_over(berth_sandbox *sandbox, const berth_op_options *op_options, uint64_t *op,
                                               berth_error **err);
/* Saves it as it runs, memory and file systems, Docker and its containers, under a name: berth_sandbox_create's "snapshot".
 * options: {"name":"warm","leave_running":true}. Everything inside stands still meanwhile; connections to Docker are cut, and while a
 * command runs in it nothing is saved (BERTH_E_STATE). A failure leaves nothing, and the sandbox runs on. payload: as an element of
 * berth_snapshot_list. Errors: BERTH_E_EXISTS, BERTH_E_UNSUPPORTED (Docker on a runsc before 20260905.0). */
BERTH_API berth_status berth_sandbox_snapshot(berth_sandbox *sandbox, const char *options, size_t options_len,
                                              const berth_op_options *op_options, uint64_t *op, berth_error **err);
/* Copies of it, each as berth_sandbox_create makes one from a snapshot: saved once, under no name and for the time of this call. It goes
 * on. options: {"count":1,"annotations":{…},"egress":[…],"ends_with_creator":false,"lifetime_ms":0}. All or none. payload: {"ids":["…"]},
 * for berth_sandbox_attach. Errors: as berth_sandbox_snapshot and berth_sandbox_create. */
BERTH_API berth_status berth_sandbox_clone(berth_sandbox *sandbox, const char *options, size_t options_len,
                                           const berth_op_options *op_options, uint64_t *op, berth_error **err);
/* The end of what was printed, at most limit bytes (0: 65536). which: "command" (by the command that the sandbox keeps), "daemon" (by
 * dockerd), "init" (by its first process and runsc). payload: {"text":"…"}, empty where nothing was: hostile content; what is no UTF-8 is
 * U+FFFD. BERTH_E_NOT_FOUND once the sandbox was removed; BERTH_E_INVALID. */
BERTH_API berth_status berth_sandbox_logs(berth_sandbox *sandbox, const char *which, size_t which_len, size_t limit,
                                          const berth_op_options *op_options, uint64_t *op, berth_error **err);
/* Sets an annotation, as "annotations" of its creation; an empty value takes it away. BERTH_E_NOT_FOUND; BERTH_E_INVALID. */
BERTH_API berth_status berth_sandbox_annotate(berth_sandbox *sandbox, const char *key, size_t key_len,
                                              const char *value, size_t value_len, const berth_op_options *op_options,
                                              uint64_t *op, berth_error **err);
/* Waits until it runs no more: its command has ended, it was stopped or killed. What is left of it stays until it is removed. */
BERTH_API berth_status berth_sandbox_wait_stopped(berth_sandbox *sandbox, const berth_op_options *op_options,
                                                  uint64_t *op, berth_error **err);
/* Starts a command that goes on by itself, whatever becomes of this process, until it or the sandbox ends. By runsc exec. options:
 * {"argv":["…"],"log":"/…","env":{…},"cwd":"…","user":"…"}. log: an absolute path of this host's, a file that is made (0600) where it is
 * not there and gets all that the command prints, without a limit: not in the shared directory. payload: {"pid":N}, its number inside.
 * Errors: BERTH_E_PROCESS_EXITED (it ended at once: detail is the end of the log), BERTH_E_SANDBOX_NOT_RUNNING, BERTH_E_RUNSC_FAILED. */
BERTH_API berth_status berth_sandbox_start_detached(berth_sandbox *sandbox, const char *options, size_t options_len,
                                                    const berth_op_options *op_options, uint64_t *op,
                                                    berth_error **err);
/* Writes what the sandbox changed in its root file system to a file of this host, new, by its absolute path, as a tar (0600) in the terms
 * of overlayfs's upper directories (docs/reference/command.md). Hostile content: unpack it with care. A failure, or cancelling, leaves no
 * file. Errors: BERTH_E_EXISTS, BERTH_E_SANDBOX_NOT_RUNNING, BERTH_E_RUNSC_FLAG_UNSUPPORTED (before release 20250721.0). */
BERTH_API berth_status berth_sandbox_export(berth_sandbox *sandbox, const char *file, size_t file_len,
                                            const berth_op_options *op_options, uint64_t *op, berth_error **err);
/* Makes an image of it, its root file system and what it changed there, in an OCI image layout of this host, by umoci; it goes on. options:
 * {"layout":"/…","tag":"v1","env":{…},"workdir":"/…","entrypoint":["…"],"command":["…"],"author":"…","message":"…","umoci":"umoci"}.
 * payload: {"digest":"sha256:…","size":BYTES}. A failure, or cancelling, leaves the layout as it was. Errors: BERTH_E_NOT_FOUND (umoci, the
 * directory for the layout), BERTH_E_UNSUPPORTED (a file that no image can hold), BERTH_E_PROCESS_EXITED (umoci's own words), BERTH_E_EXISTS
 * (somebody else made the layout meanwhile), BERTH_E_TIMEOUT (it is locked); as berth_sandbox_export. */
BERTH_API berth_status berth_sandbox_commit(berth_sandbox *sandbox, const char *options, size_t options_len,
                                            const berth_op_options *op_options, uint64_t *op, berth_error **err);
/* Stops what the sandbox keeps, its command, Docker's containers and dockerd, in order, then ends everything inside and removes every
 * resource. options: JSON, NULL for the defaults: {"force":false,"timeout_ms":45000}; force: nothing is stopped first; timeout_ms: until
 * what has not stopped is killed, but 2 s before the operation's own deadline at the latest. Cancelled before the removal began, the
 * sandbox stays, with what had not stopped. One that is gone is no error. */
BERTH_API berth_status berth_sandbox_terminate(berth_sandbox *sandbox, const char *options, size_t options_len,
                                               const berth_op_options *op_options, uint64_t *op, berth_error **err);

/* Has the sandbox's guest start dockerd where none is up, and waits until it is ready; its events come to this loop from
 * then on. The guest keeps it: it goes on without this loop. For sandboxes made with "start": false, or whose dockerd
 * failed or was stopped, which starts anew with these options where there are any; one that is up is left as it is.
 * options: as "docker" above. payload: as berth_daemon_status. */
BERTH_API berth_status berth_sandbox_start_docker(berth_sandbox *sandbox, const char *options, size_t options_len,
                                                  const berth_op_options *op_options, uint64_t *op, berth_error **err);
/* Waits until the sandbox's dockerd is ready. code, payload: as berth_sandbox_docker_status. */
BERTH_API berth_status berth_sandbox_wait_docker(berth_sandbox *sandbox, const berth_op_options *op_options,
                                                 uint64_t *op, berth_error **err);
/* code: BERTH_DAEMON_…; payload: as berth_daemon_status. Of a dockerd that neither this loop nor the sandbox's guest
 * keeps: READY where it answers on its socket, else DISABLED. */
BERTH_API berth_status berth_sandbox_docker_status(berth_sandbox *sandbox, const berth_op_options *op_options,
                                                   uint64_t *op, berth_error **err);
/* [out,own] url: "unix:///…/docker.sock", for DOCKER_HOST. */
BERTH_API berth_status berth_sandbox_docker_host(berth_sandbox *sandbox, berth_buffer **url, berth_error **err);

/* What happened in the sandbox, each as a BERTH_EVENT_SANDBOX of this op with payload {"event","at_ms","container","message"}:
 * container_out_of_memory (over its memory limit, killed), docker_ready, docker_ended (by itself, and is started again),
 * docker_failed, docker_stopped; at_ms: milliseconds since the epoch, by the sandbox's clock. The last 64 come first; with follow 1
 * those that come until it is cancelled, its deadline, or the end of the sandbox; else it is done then. A sandbox without Docker
 * has none. Hostile: a sandbox may say anything here. */
BERTH_API berth_status berth_sandbox_events(berth_sandbox *sandbox, int32_t follow, const berth_op_options *op_options,
                                            uint64_t *op, berth_error **err);

/* payload: a JSON array of records, in order of creation. */
BERTH_API berth_status berth_sandbox_list(berth_loop *loop, const char *where, size_t where_len,
                                          const berth_op_options *op_options, uint64_t *op, berth_error **err);
/* Removes what dead owners left. payload: {"removed":["ID"…],"orphans":[{"kind":"process"|"network"|"cgroup"|"directory",
 * "name":"…","what":"…"}…],"unfinished_snapshots":N,"pools":["NAME"…]}: the sandboxes, what belonged to no record any more, how many
 * snapshots were broken off, and the pools that have ended with their owners. A failure is told once the rest is done. */
BERTH_API berth_status berth_sandbox_collect_garbage(berth_loop *loop, const char *where, size_t where_len,
                                                     const berth_op_options *op_options, uint64_t *op,
                                                     berth_error **err);

/* ---- Snapshots. Both block, for the time of reading small files or of removing large ones, and belong to no loop. ---- */

/* [out,own] json: [{"name","directory","created_ms","took_ms","bytes","docker","sandbox","rootfs","memory_bytes","cpus","network",
 * "runsc","berth","annotations":{…}}], by name; annotations are those of the sandbox that was saved; one that cannot be read has "name", "directory" and "damage". */
BERTH_API berth_status berth_snapshot_list(const char *where, size_t where_len, berth_buffer **json, berth_error **err);
/* Sandboxes that were made from it need it no more. BERTH_E_NOT_FOUND. */
BERTH_API berth_status berth_snapshot_remove(const char *where, size_t where_len, const char *name, size_t name_len,
                                             berth_error **err);

/* ---- Pools: copies of a snapshot that run and wait. On disk, for any process; no process belongs to one. ---- */

/* Makes a pool, or takes up the one of this name, and fills it. options: {"name":"web","snapshot":"warm","size":4,"at_once":2,
 * "per_minute":0,"ends_with_creator":false,"wait":true}. size: how many are kept ready; at_once: how many are made side by side;
 * per_minute: how many are begun within a minute, 0 for no limit; ends_with_creator: it is garbage once this process is gone; without
 * wait it is filled in the background. payload: as an element of berth_pool_list. Errors: BERTH_E_NOT_FOUND (no such snapshot);
 * BERTH_E_EXISTS (a pool of this name with another snapshot); as berth_sandbox_create, in which case the pool stays, for
 * berth_pool_stop. */
BERTH_API berth_status berth_pool_start(berth_loop *loop, const char *where, size_t where_len, const char *options,
                                        size_t options_len, const berth_op_options *op_options, uint64_t *op,
                                        berth_error **err);
/* Takes a sandbox out of a pool: one that is ready, else one is made. No other call gets it. The pool is filled up again in the
 * background: by the berth command where that is installed, whatever becomes of this process, else by this loop. options:
 * {"name":"web","annotations":{…},"egress":[…],"ends_with_creator":false,"lifetime_ms":0}. sandbox, payload: as berth_sandbox_create.
 * Errors: BERTH_E_NOT_FOUND (no such pool); as berth_sandbox_create. */
BERTH_API berth_status berth_pool_take(berth_loop *loop, const char *where, size_t where_len, const char *options,
                                       size_t options_len, const berth_op_options *op_options, berth_sandbox **sandbox,
                                       uint64_t *op, berth_error **err);
/* Ends a pool, and the sandboxes that wait in it; those that were taken stay. BERTH_E_NOT_FOUND. */
BERTH_API berth_status berth_pool_stop(berth_loop *loop, const char *where, size_t where_len, const char *name,
                                       size_t name_len, const berth_op_options *op_options, uint64_t *op,
                                       berth_error **err);
/* Reads small files; belongs to no loop. [out,own] json: [{"name","snapshot","size","at_once","per_minute","owner" (a pid, 0: none),
 * "ready","filling","made","handed_out","missed" (made for who asked, since none was ready),"failed","lost" (ended while they waited),
 * "refill_ms","failure" (why the last could not be made),"sandboxes":["ID"…] (those that are ready)}], by name. */
BERTH_API berth_status berth_pool_list(const char *where, size_t where_len, berth_buffer **json, berth_error **err);

#ifdef __cplusplus
}
#endif

#endif

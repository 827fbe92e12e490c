/* SPDX-License-Identifier: Apache-2.0 */
/* berth: the OCI runtime spec, kept without loss.
 *
 * Threads: one thread at a time for one spec (BERTH_E_STATE when two are at it at once); it may move between threads.
 * A mutation is all or nothing: when it fails, the spec is as it was. Doing it twice changes nothing more.
 * Unknown keys, the order of keys and the text of numbers survive. Limits: 16 MiB, 128 levels.
 */
#ifndef BERTH_SPEC_H
#define BERTH_SPEC_H

#include "berth_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Capability sets, to be or-ed. */
enum {
  BERTH_CAP_BOUNDING = 1,
  BERTH_CAP_EFFECTIVE = 2,
  BERTH_CAP_PERMITTED = 4,
  BERTH_CAP_INHERITABLE = 8,
  BERTH_CAP_AMBIENT = 16,
  BERTH_CAP_DOCKER = 15 /* bounding, effective, permitted, inheritable: what the Docker recipe sets */
};

/* Reads a config.json. [out,own] spec. */
BERTH_API berth_status berth_spec_parse(const char *json, size_t json_len, berth_spec **spec, berth_error **err);
/* Reads a file; a symlink is refused. [out,own] spec. */
BERTH_API berth_status berth_spec_load(const char *path, size_t path_len, berth_spec **spec, berth_error **err);
/* [out,own] copy. */
BERTH_API berth_status berth_spec_clone(const berth_spec *spec, berth_spec **copy, berth_error **err);
BERTH_API void berth_spec_free(berth_spec *spec);

/* [out,own] json: the whole spec as compact JSON. */
BERTH_API berth_status berth_spec_to_json(const berth_spec *spec, berth_buffer **json, berth_error **err);
/* Writes a file atomically (temporary file, fsync, rename). */
BERTH_API berth_status berth_spec_save(const berth_spec *spec, const char *path, size_t path_len, berth_error **err);

/* What a sandbox needs for dockerd inside: 17 capabilities, the cgroup mount, a data root. options: JSON, NULL for the
 * defaults: {"cgroup":"sandbox"|"host-bind"|"none", "data_root":"tmpfs"|"tmpfs:2Gi"|"/host/dir" (absent: the root file
 * system), "data_root_path":"/var/lib/docker", "raise_limits":true (CAP_SYS_RESOURCE beside the 17),
 * "guest":"/…/berth-init" (bound in at /.berth/init: it starts dockerd)}. [out,own] what was seen to, when `seen_to` is not
 * NULL: {"steps":["…"], "log":[{"level","message","fields":{…},"console"}, …]}. A spec without process.args is refused. */
BERTH_API berth_status berth_spec_apply_docker(berth_spec *spec, const char *options, size_t options_len,
                                               berth_buffer **seen_to, berth_error **err);

/* Many changes at once: a JSON merge patch (RFC 7396) over the whole spec: objects merge, null removes, the rest
 * replaces. */
BERTH_API berth_status berth_spec_merge(berth_spec *spec, const char *patch, size_t patch_len, berth_error **err);

/* How `after` differs from `before`. [out,own] json: [{"op":"add"|"remove"|"replace","path":"/json/pointer",
 * "before":…,"after":…}, …]. */
BERTH_API berth_status berth_spec_diff(const berth_spec *before, const berth_spec *after, berth_buffer **json,
                                       berth_error **err);

/* The common mutations, one value each. `sets`: BERTH_CAP_…; name: "CAP_NET_RAW". */
BERTH_API berth_status berth_spec_add_capability(berth_spec *spec, const char *name, size_t name_len, uint32_t sets,
                                                 berth_error **err);
BERTH_API berth_status berth_spec_remove_capability(berth_spec *spec, const char *name, size_t name_len, uint32_t sets,
                                                    berth_error **err);
/* args: a JSON array of strings. */
BERTH_API berth_status berth_spec_set_args(berth_spec *spec, const char *args, size_t args_len, berth_error **err);
BERTH_API berth_status berth_spec_set_cwd(berth_spec *spec, const char *cwd, size_t cwd_len, berth_error **err);
BERTH_API berth_status berth_spec_set_env(berth_spec *spec, const char *name, size_t name_len, const char *value,
                                          size_t value_len, berth_error **err);
BERTH_API berth_status berth_spec_remove_env(berth_spec *spec, const char *name, size_t name_len, berth_error **err);
BERTH_API berth_status berth_spec_set_hostname(berth_spec *spec, const char *hostname, size_t hostname_len,
                                               berth_error **err);
/* read_only: 0 or 1. */
BERTH_API berth_status berth_spec_set_root(berth_spec *spec, const char *path, size_t path_len, int32_t read_only,
                                           berth_error **err);
/* mount: {"destination","type","source","options":[…]}. Replaces every mount at the same (cleaned) destination. */
BERTH_API berth_status berth_spec_set_mount(berth_spec *spec, const char *mount, size_t mount_len, berth_error **err);
BERTH_API berth_status berth_spec_remove_mount(berth_spec *spec, const char *destination, size_t destination_len,
                                               berth_error **err);
/* type: "network", "pid", …; path: "" for a new one. */
BERTH_API berth_status berth_spec_set_namespace(berth_spec *spec, const char *type, size_t type_len, const char *path,
                                                size_t path_len, berth_error **err);
BERTH_API berth_status berth_spec_remove_namespace(berth_spec *spec, const char *type, size_t type_len,
                                                   berth_error **err);
BERTH_API berth_status berth_spec_set_annotation(berth_spec *spec, const char *key, size_t key_len, const char *value,
                                                 size_t value_len, berth_error **err);
BERTH_API berth_status berth_spec_remove_annotation(berth_spec *spec, const char *key, size_t key_len,
                                                    berth_error **err);
/* type: "RLIMIT_NOFILE". */
BERTH_API berth_status berth_spec_set_rlimit(berth_spec *spec, const char *type, size_t type_len, uint64_t soft,
                                             uint64_t hard, berth_error **err);

#ifdef __cplusplus
}
#endif

#endif

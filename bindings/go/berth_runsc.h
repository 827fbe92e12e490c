/* SPDX-License-Identifier: Apache-2.0 */
/* berth: runsc's command lines, and what a runsc binary can do.
 *
 * Threads: berth_runsc and berth_argv are immutable; any number of threads may read one.
 */
#ifndef BERTH_RUNSC_H
#define BERTH_RUNSC_H

#include "berth_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Finds a runsc binary (name: a path, or a name looked up in the usual directories; empty: "runsc") and asks it for its
 * release and its options. Blocks: about a dozen starts of the binary (0.2 s), or one stat and one small read when the
 * answers are known from before (in this process, or in cache_dir, which is made when not empty). [out,own] runsc. */
BERTH_API berth_status berth_runsc_probe(const char *name, size_t name_len, const char *cache_dir, size_t cache_dir_len,
                                         berth_runsc **runsc, berth_error **err);

/* The same from what the binary printed. texts: {"version":"…","flags":"…","verbs":"…","help":{"exec":"…", …}}: the outputs
 * of `runsc --version`, `runsc flags`, `runsc help` and `runsc help VERB`. [out,own] runsc. */
BERTH_API berth_status berth_runsc_from_text(const char *path, size_t path_len, const char *texts, size_t texts_len,
                                             berth_runsc **runsc, berth_error **err);
BERTH_API void berth_runsc_free(berth_runsc *runsc);

/* [out,own] json: {"path","version","date":20260701,"flags":[{"name","value","default","no_effect"}, …],
 * "packet_write_flag"}. */
BERTH_API berth_status berth_runsc_to_json(const berth_runsc *runsc, berth_buffer **json, berth_error **err);
/* has: 1 when the binary takes the option and heeds it, else 0. verb: empty for a global option; flag empty: the verb.
 */
BERTH_API berth_status berth_runsc_has(const berth_runsc *runsc, const char *verb, size_t verb_len, const char *flag,
                                       size_t flag_len, int32_t *has, berth_error **err);

/* The command line of one verb: run, create, start, exec, kill, delete, state, list, wait, pause, resume, checkpoint,
 * restore, events, ps, fscheckpoint. Runs nothing. options: {"globals":{"root":"/run/x","net_raw":true,…},"id":"…",
 * and the verb's own: "bundle","detach","command":[…],"env":[…],…}; the names are those of the options, with _ for -
 * (docs/reference/c-abi.md lists them). An option that the binary lacks: BERTH_E_RUNSC_FLAG_UNSUPPORTED. [out,own]
 * argv. */
BERTH_API berth_status berth_argv_build(const berth_runsc *runsc, const char *verb, size_t verb_len,
                                        const char *options, size_t options_len, berth_argv **argv, berth_error **err);
BERTH_API void berth_argv_free(berth_argv *argv);
/* 0 of a NULL or freed one. */
BERTH_API size_t berth_argv_count(const berth_argv *argv);
/* [out,borrow] The i-th argument, until berth_argv_free; NULL beyond the last. */
BERTH_API const char *berth_argv_peek(const berth_argv *argv, size_t i);
/* [out,own] json: an array of strings. */
BERTH_API berth_status berth_argv_to_json(const berth_argv *argv, berth_buffer **json, berth_error **err);

#ifdef __cplusplus
}
#endif

#endif

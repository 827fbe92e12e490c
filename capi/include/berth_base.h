/* SPDX-License-Identifier: Apache-2.0 */
/* berth: types, status codes, errors, buffers, versions. Included by every other berth header.
 *
 * Rules of this interface (docs/reference/c-abi.md has the reasons):
 *  - Every function that can fail returns a berth_status, 0 or negative, and takes a trailing `berth_error **err`,
 *    which may be NULL. On failure every output is NULL or 0. `*err` is NULL on success; the caller owns it on failure
 *    (with BERTH_E_NO_MEMORY it may be NULL too).
 *  - A handle is a token, not an address: one that was freed, is of another kind or was never given out is answered by
 *    BERTH_E_CLOSED or BERTH_E_INVALID, and freeing it once more does nothing. Freeing NULL does nothing.
 *  - Strings go in as pointer and length (UTF-8, no NUL needed; NULL with length 0 is the empty string) and are copied
 *    before the call returns. Strings that come out are NUL-terminated and live as long as the object that gave them.
 *  - Tags: [in] borrowed for the call; [out,own] the caller frees it by its _free; [out,borrow] lives as long as said.
 *  - Nothing here installs a signal handler, touches SIGCHLD, changes the environment or calls back into the caller.
 */
#ifndef BERTH_BASE_H
#define BERTH_BASE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define BERTH_API __attribute__((visibility("default")))
#else
#define BERTH_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the library's interface: the number in libberth.so.0. It changes when an old program would break; but 0, before
 * berth 1.0, makes no promise: a program is built anew for each release. */
#define BERTH_ABI_VERSION 0u

/* 0 or one of the BERTH_E_ codes below. Newer libraries may return codes that an older header does not name:
 * berth_status_name knows them. */
typedef int32_t berth_status;

/* One a line, appended to only; a number is never used twice. */
enum {
  BERTH_OK = 0, /* done */
  /* any layer */
  BERTH_E_INVALID = -1,     /* an argument is malformed or contradicts another */
  BERTH_E_NO_MEMORY = -2,   /* an allocation failed */
  BERTH_E_INTERNAL = -3,    /* a defect of berth's own */
  BERTH_E_STATE = -4,       /* not possible in the present state */
  BERTH_E_CLOSED = -5,      /* the object was closed or freed */
  BERTH_E_CANCELLED = -6,   /* the caller cancelled */
  BERTH_E_TIMEOUT = -7,     /* the deadline passed */
  BERTH_E_AGAIN = -8,       /* not now, try again */
  BERTH_E_UNSUPPORTED = -9, /* this machine or this binary cannot do it */
  BERTH_E_FORKED = -10,     /* called in a child after fork */
  BERTH_E_TOO_BIG = -11,    /* larger than the stated limit, or a structure newer than the library */
  BERTH_E_NOT_FOUND = -12,  /* no such object, file or program */
  BERTH_E_EXISTS = -13,     /* the name is taken */
  BERTH_E_PERMISSION = -14, /* not allowed; most of berth needs root */
  BERTH_E_IO = -15,         /* a system call failed; see berth_error_errno */
  /* spec */
  BERTH_E_SPEC_SYNTAX = -20,        /* not JSON (RFC 8259), or not UTF-8 */
  BERTH_E_SPEC_DUPLICATE_KEY = -21, /* a key twice in one object, exactly, by escape or by case */
  BERTH_E_SPEC_KEY_CASE = -22,      /* a key that is a known field but for its case */
  BERTH_E_SPEC_TYPE = -23,          /* a value of the wrong type */
  BERTH_E_SPEC_TOO_DEEP = -24,      /* nested deeper than the limit */
  BERTH_E_SPEC_TOO_LARGE = -25,     /* longer than the limit */
  BERTH_E_SPEC_PATH = -26,          /* a path that is relative, has .., or lies where it must not */
  BERTH_E_SPEC_CAPABILITY = -27,    /* not a Linux capability */
  BERTH_E_SPEC_ID = -28,            /* not a container id that runsc takes */
  BERTH_E_SPEC_NUL = -29,           /* a NUL in a string */
  BERTH_E_SPEC_NUMBER = -30,        /* a number out of range */
  /* runsc */
  BERTH_E_RUNSC_NOT_FOUND = -40,        /* no runsc binary */
  BERTH_E_RUNSC_FLAG_UNSUPPORTED = -41, /* this runsc lacks the flag */
  BERTH_E_RUNSC_FAILED = -42,           /* runsc ended with an error */
  BERTH_E_RUNSC_OUTPUT = -43,           /* runsc printed what berth cannot read */
  /* process, network, sandbox */
  BERTH_E_SPAWN_FAILED = -60,        /* the program could not be started */
  BERTH_E_PROCESS_EXITED = -61,      /* the process ended before its time */
  BERTH_E_NETWORK_FAILED = -62,      /* ip or nft refused */
  BERTH_E_MOUNT_FAILED = -63,        /* mount or umount refused */
  BERTH_E_SANDBOX_NOT_RUNNING = -64, /* the sandbox is stopped, or its init has exited */
  BERTH_E_RECORD_DAMAGED = -65,      /* the sandbox's record on disk cannot be read */
  BERTH_E_HOSTILE = -66,             /* something in the shared directory is not what it must be */
  /* docker */
  BERTH_E_DAEMON_NOT_PRESENT = -80, /* the root file system has no dockerd */
  BERTH_E_DAEMON_FAILED = -81,      /* dockerd ended, or could not be started */
  BERTH_E_DAEMON_NOT_READY = -82,   /* dockerd did not answer in time */
  BERTH_E_DOCKER_FAILED = -83,      /* a docker command failed */
  /* readiness */
  BERTH_E_PROBE_FAILED = -100 /* a probe met an error that waiting cannot mend */
};

typedef struct berth_error berth_error;       /* what went wrong; immutable */
typedef struct berth_buffer berth_buffer;     /* bytes that the library made; immutable */
typedef struct berth_spec berth_spec;         /* an OCI runtime spec */
typedef struct berth_runsc berth_runsc;       /* what one runsc binary can do; immutable */
typedef struct berth_argv berth_argv;         /* a command line; immutable */
typedef struct berth_loop berth_loop;         /* a thread that does the waiting, and its queue of events */
typedef struct berth_executor berth_executor; /* a place where commands run */
typedef struct berth_daemon berth_daemon;     /* the supervisor of one dockerd */
typedef struct berth_sandbox berth_sandbox;   /* a gVisor sandbox of berth's own */

/* ---- Versions. Callable from any thread, at any time. ---- */

/* major << 24 | minor << 16 | patch. */
BERTH_API uint32_t berth_version(void);
/* [out,borrow] "0.1.0", static. */
BERTH_API const char *berth_version_string(void);
/* Pass BERTH_ABI_VERSION: BERTH_OK when the library serves programs compiled for it, else BERTH_E_UNSUPPORTED. */
BERTH_API berth_status berth_abi_check(uint32_t compiled, berth_error **err);
/* 1 when this build has the feature, else 0. name: [in] NUL-terminated: "spec", "runsc", "loop", "executor", "daemon",
 * "sandbox". */
BERTH_API int32_t berth_feature(const char *name);
/* Which options a JSON text of options may have. set: whose: "where", "sandbox", "docker", "daemon", "recipe", "exec", "runsc_run", "op_options" (a structure), …;
 * empty: their names. [out,own] json: {"name","about","options":[{"name","type","unit","words":[…],"least","most","of","default",
 * "default_is","needed","restored","since","help"}…]}, without what an option has not; or ["where",…]. type: "string", "boolean", "integer",
 * "number", "strings", "environment", "string_map", "integers", "object" and "objects" (of the set "of"), "string_or_object", "json".
 * BERTH_E_NOT_FOUND. */
BERTH_API berth_status berth_options_json(const char *set, size_t set_len, berth_buffer **json, berth_error **err);
/* CLOCK_MONOTONIC in ns: what deadlines are measured on. */
BERTH_API uint64_t berth_now_ns(void);

/* ---- Errors. A handle may be read by many threads; the strings live until berth_error_free. ---- */

/* [out,borrow] "spec_duplicate_key" for BERTH_E_SPEC_DUPLICATE_KEY; "unknown" for no code of this library. Static. */
BERTH_API const char *berth_status_name(berth_status code);
/* Of a NULL or freed error: BERTH_OK, 0 and empty strings. */
BERTH_API berth_status berth_error_code(const berth_error *error);
BERTH_API int32_t berth_error_errno(const berth_error *error);         /* errno of the failed system call, or 0 */
BERTH_API const char *berth_error_message(const berth_error *error);   /* [out,borrow] what happened, one line */
BERTH_API const char *berth_error_layer(const berth_error *error);     /* [out,borrow] "spec", "runsc", … */
BERTH_API const char *berth_error_path(const berth_error *error);      /* [out,borrow] JSON pointer, file, flag or "" */
BERTH_API const char *berth_error_hint(const berth_error *error);      /* [out,borrow] what to do, or "" */
BERTH_API const char *berth_error_detail(const berth_error *error);    /* [out,borrow] longer evidence, or "" */
BERTH_API const char *berth_error_to_string(const berth_error *error); /* [out,borrow] all of it as text */
BERTH_API void berth_error_free(berth_error *error);

/* ---- Buffers. A handle may be read by many threads; the bytes live until berth_buffer_free. ---- */

/* [out,borrow] The bytes, with a NUL behind the last; of a NULL or freed buffer: "". */
BERTH_API const char *berth_buffer_data(const berth_buffer *buffer);
BERTH_API size_t berth_buffer_size(const berth_buffer *buffer);
BERTH_API void berth_buffer_free(berth_buffer *buffer);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* berth: functions that may change or go in any release, outside of the promise of BERTH_ABI_VERSION.
 * Not part of berth.h: define BERTH_UNSTABLE and include this. */
#ifndef BERTH_UNSTABLE_H
#define BERTH_UNSTABLE_H

#ifndef BERTH_UNSTABLE
#error "define BERTH_UNSTABLE to say that your program may break with any release of berth"
#endif

#include "berth_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How many handles of a kind this process has not freed, for tests that look for leaks. kind: [in] NUL-terminated:
 * "error", "buffer", "spec", "runsc", "argv", "loop", "executor", "daemon", "sandbox". 0 for any other. */
BERTH_API uint64_t berth_unstable_live_handles(const char *kind);

#ifdef __cplusplus
}
#endif

#endif

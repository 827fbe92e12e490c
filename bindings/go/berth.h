/* SPDX-License-Identifier: Apache-2.0 */
/* berth: a working Docker inside a gVisor sandbox. The whole C interface.
 * Compiles as C11 and C++20, needs nothing but <stddef.h> and <stdint.h>; link with -lberth (pkg-config berth). */
#ifndef BERTH_H
#define BERTH_H

#include "berth_base.h"
#include "berth_spec.h"
#include "berth_runsc.h"
#include "berth_loop.h"
#include "berth_exec.h"
#include "berth_sandbox.h"
#include "berth_files.h"

#endif

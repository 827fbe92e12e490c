// SPDX-License-Identifier: Apache-2.0

// Package live counts the library's handles, for tests that look for leaks. Programs do not take it in, so that they
// need none of the functions in berth_unstable.h.
package live

/*
#include <stdlib.h>
#include "../../berth.h"
#define BERTH_UNSTABLE
#include "../../berth_unstable.h"

// Weak, since this package is not linked with the library: the test that takes it in is.
#pragma weak berth_unstable_live_handles

static int there(void) { return berth_unstable_live_handles != NULL; }
*/
import "C"

import "unsafe"

// Handles is how many handles of a kind this process has not freed.
func Handles(kind string) uint64 {
	if C.there() == 0 {
		panic("the library has no berth_unstable_live_handles")
	}
	k := C.CString(kind)
	defer C.free(unsafe.Pointer(k))
	return uint64(C.berth_unstable_live_handles(k))
}

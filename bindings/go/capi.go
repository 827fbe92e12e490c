// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

// The calls into the library, in capi_*.go by the noun that they are about: one Go function each, and nothing else. None
// blocks, runscProbe and executorCreateRunsc excepted. Here is what they share.

/*
#include "berth_go.h"
*/
import "C"

import (
	"syscall"
	"unsafe"
)

// Handles are tokens, not addresses; the library answers a stale one by an error. Their C types are incomplete, so the
// garbage collector does not look at them.
type (
	cLoop     = *C.berth_loop
	cRunsc    = *C.berth_runsc
	cExecutor = *C.berth_executor
	cDaemon   = *C.berth_daemon
	cSandbox  = *C.berth_sandbox
)

// opSettings is what an operation is started with. key comes back in its events.
type opSettings struct {
	key      uint64
	deadline uint64 // as nowNS, or 0
}

func (o opSettings) c() C.berth_op_options {
	return C.berth_op_options{
		struct_size: C.uint32_t(unsafe.Sizeof(C.berth_op_options{})),
		user_data:   C.uint64_t(o.key),
		deadline_ns: C.uint64_t(o.deadline),
	}
}

// The bytes of a Go string or slice, for the time of one call.
func stringArg(s string) (*C.char, C.size_t) {
	return (*C.char)(unsafe.Pointer(unsafe.StringData(s))), C.size_t(len(s))
}

func bytesArg(b []byte) (*C.char, C.size_t) {
	return (*C.char)(unsafe.Pointer(unsafe.SliceData(b))), C.size_t(len(b))
}

func goError(e *C.berth_error, status C.berth_status) error {
	if e == nil {
		return &Error{Code: Code(status), Message: C.GoString(C.berth_status_name(status))}
	}
	return &Error{
		Code:    Code(C.berth_error_code(e)),
		Errno:   syscall.Errno(C.berth_error_errno(e)),
		Layer:   C.GoString(C.berth_error_layer(e)),
		Path:    C.GoString(C.berth_error_path(e)),
		Message: C.GoString(C.berth_error_message(e)),
		Hint:    inOwnWords(C.GoString(C.berth_error_hint(e))),
		Detail:  inOwnWords(C.GoString(C.berth_error_detail(e))),
	}
}

// takeError makes a Go error of a call's, and frees it.
func takeError(status C.berth_status, e *C.berth_error) error {
	if status == C.BERTH_OK {
		return nil
	}
	err := goError(e, status)
	C.berth_error_free(e)
	return err
}

func takeBuffer(b *C.berth_buffer) []byte {
	if b == nil {
		return nil
	}
	out := unsafe.Slice((*byte)(unsafe.Pointer(C.berth_buffer_data(b))), int(C.berth_buffer_size(b)))
	copied := append(make([]byte, 0, len(out)), out...)
	C.berth_buffer_free(b)
	return copied
}

func abiCheck() error {
	var e *C.berth_error
	return takeError(C.berth_abi_check(C.BERTH_ABI_VERSION, &e), e)
}

func statusName(c Code) string { return C.GoString(C.berth_status_name(C.berth_status(c))) }
func libraryVersion() string   { return C.GoString(C.berth_version_string()) }
func nowNS() uint64            { return uint64(C.berth_now_ns()) }

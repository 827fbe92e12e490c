// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

// Calls on pools.

/*
#include "berth_go.h"
*/
import "C"

func poolStart(l cLoop, where, options string, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	w, wn := stringArg(where)
	t, n := stringArg(options)
	err := takeError(C.berth_pool_start(l, w, wn, t, n, &c, &op, &e), e)
	return uint64(op), err
}

func poolTake(l cLoop, where, options string, o opSettings) (s cSandbox, op uint64, err error) {
	var id C.uint64_t
	var e *C.berth_error
	c := o.c()
	w, wn := stringArg(where)
	t, n := stringArg(options)
	err = takeError(C.berth_pool_take(l, w, wn, t, n, &c, &s, &id, &e), e)
	return s, uint64(id), err
}

func poolStop(l cLoop, where, name string, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	w, wn := stringArg(where)
	t, n := stringArg(name)
	err := takeError(C.berth_pool_stop(l, w, wn, t, n, &c, &op, &e), e)
	return uint64(op), err
}

func poolList(where string) ([]byte, error) {
	var out *C.berth_buffer
	var e *C.berth_error
	w, wn := stringArg(where)
	if err := takeError(C.berth_pool_list(w, wn, &out, &e), e); err != nil {
		return nil, err
	}
	return takeBuffer(out), nil
}

func sandboxClone(s cSandbox, options string, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	t, n := stringArg(options)
	err := takeError(C.berth_sandbox_clone(s, t, n, &c, &op, &e), e)
	return uint64(op), err
}

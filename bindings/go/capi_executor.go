// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

// Calls on places where commands run, and on commands.

/*
#include "berth_go.h"
*/
import "C"

func executorCreate(l cLoop, key uint64) (x cExecutor, err error) {
	var e *C.berth_error
	err = takeError(C.berth_executor_create(l, C.uint64_t(key), &x, &e), e)
	return x, err
}

func executorCreateHost(l cLoop) (x cExecutor, err error) {
	var e *C.berth_error
	err = takeError(C.berth_executor_create_host(l, &x, &e), e)
	return x, err
}

// executorCreateRunsc blocks as runscProbe does.
func executorCreateRunsc(l cLoop, options string) (x cExecutor, err error) {
	var e *C.berth_error
	o, on := stringArg(options)
	err = takeError(C.berth_executor_create_runsc(l, o, on, &x, &e), e)
	return x, err
}

func executorCreateSandbox(s cSandbox) (x cExecutor, err error) {
	var e *C.berth_error
	err = takeError(C.berth_executor_create_sandbox(s, &x, &e), e)
	return x, err
}

func executorFree(x cExecutor) { C.berth_executor_free(x) }

func executorStarted(x cExecutor, op uint64, pid int) error {
	var e *C.berth_error
	return takeError(C.berth_executor_started(x, C.uint64_t(op), C.int32_t(pid), &e), e)
}

func executorOutput(x cExecutor, op uint64, stream int32, data []byte) error {
	var e *C.berth_error
	d, dn := bytesArg(data)
	return takeError(C.berth_executor_output(x, C.uint64_t(op), C.int32_t(stream), d, dn, &e), e)
}

func executorExited(x cExecutor, op uint64, code, signal int) error {
	var e *C.berth_error
	return takeError(C.berth_executor_exited(x, C.uint64_t(op), C.int32_t(code), C.int32_t(signal), &e), e)
}

func executorFailed(x cExecutor, op uint64, code Code, message string) error {
	var e *C.berth_error
	m, mn := stringArg(message)
	return takeError(C.berth_executor_failed(x, C.uint64_t(op), C.berth_status(code), m, mn, &e), e)
}

func execStart(x cExecutor, options string, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	t, n := stringArg(options)
	err := takeError(C.berth_exec_start(x, t, n, &c, &op, &e), e)
	return uint64(op), err
}

func execWrite(l cLoop, execOp uint64, data []byte, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	d, n := bytesArg(data)
	err := takeError(C.berth_exec_write(l, C.uint64_t(execOp), d, n, &c, &op, &e), e)
	return uint64(op), err
}

func execCloseStdin(l cLoop, execOp uint64) error {
	var e *C.berth_error
	return takeError(C.berth_exec_close_stdin(l, C.uint64_t(execOp), &e), e)
}

func execHold(l cLoop, execOp uint64, hold bool) error {
	var e *C.berth_error
	var h C.int32_t
	if hold {
		h = 1
	}
	return takeError(C.berth_exec_hold(l, C.uint64_t(execOp), h, &e), e)
}

func execSignal(l cLoop, execOp uint64, signal int, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	err := takeError(C.berth_exec_signal(l, C.uint64_t(execOp), C.int32_t(signal), &c, &op, &e), e)
	return uint64(op), err
}

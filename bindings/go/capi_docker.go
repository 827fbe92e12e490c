// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

// Calls on polls, on supervised dockerds and on what they printed.

/*
#include "berth_go.h"
*/
import "C"

func pollStart(l cLoop, x cExecutor, options string, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	t, n := stringArg(options)
	err := takeError(C.berth_poll_start(l, x, t, n, &c, &op, &e), e)
	return uint64(op), err
}

func daemonCreate(x cExecutor, options string, key uint64) (d cDaemon, err error) {
	var e *C.berth_error
	o, on := stringArg(options)
	err = takeError(C.berth_daemon_create(x, o, on, C.uint64_t(key), &d, &e), e)
	return d, err
}

func daemonFree(d cDaemon) { C.berth_daemon_free(d) }

func daemonStart(d cDaemon, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	err := takeError(C.berth_daemon_start(d, &c, &op, &e), e)
	return uint64(op), err
}

func daemonWaitReady(d cDaemon, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	err := takeError(C.berth_daemon_wait_ready(d, &c, &op, &e), e)
	return uint64(op), err
}

func daemonStop(d cDaemon, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	err := takeError(C.berth_daemon_stop(d, &c, &op, &e), e)
	return uint64(op), err
}

func daemonStatusJSON(d cDaemon) ([]byte, error) {
	var out *C.berth_buffer
	var e *C.berth_error
	if err := takeError(C.berth_daemon_status(d, &out, &e), e); err != nil {
		return nil, err
	}
	return takeBuffer(out), nil
}

func dockerDiagnose(text string, r cRunsc) ([]byte, error) {
	var out *C.berth_buffer
	var e *C.berth_error
	t, n := stringArg(text)
	if err := takeError(C.berth_docker_diagnose(t, n, r, &out, &e), e); err != nil {
		return nil, err
	}
	return takeBuffer(out), nil
}

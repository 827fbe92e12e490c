// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

// Calls on sandboxes.

/*
#include "berth_go.h"
*/
import "C"

func sandboxCreate(l cLoop, where, config string, o opSettings) (s cSandbox, op uint64, err error) {
	var id C.uint64_t
	var e *C.berth_error
	c := o.c()
	w, wn := stringArg(where)
	t, n := stringArg(config)
	err = takeError(C.berth_sandbox_create(l, w, wn, t, n, &c, &s, &id, &e), e)
	return s, uint64(id), err
}

func sandboxAttach(l cLoop, where, id string, o opSettings) (s cSandbox, op uint64, err error) {
	var opID C.uint64_t
	var e *C.berth_error
	c := o.c()
	w, wn := stringArg(where)
	t, n := stringArg(id)
	err = takeError(C.berth_sandbox_attach(l, w, wn, t, n, &c, &s, &opID, &e), e)
	return s, uint64(opID), err
}

func sandboxFree(s cSandbox) { C.berth_sandbox_free(s) }

func sandboxID(s cSandbox) (string, error) {
	var out *C.berth_buffer
	var e *C.berth_error
	if err := takeError(C.berth_sandbox_id(s, &out, &e), e); err != nil {
		return "", err
	}
	return string(takeBuffer(out)), nil
}

func sandboxDockerHost(s cSandbox) (string, error) {
	var out *C.berth_buffer
	var e *C.berth_error
	if err := takeError(C.berth_sandbox_docker_host(s, &out, &e), e); err != nil {
		return "", err
	}
	return string(takeBuffer(out)), nil
}

func sandboxState(s cSandbox, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	err := takeError(C.berth_sandbox_state(s, &c, &op, &e), e)
	return uint64(op), err
}

func sandboxPause(s cSandbox, pause bool, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	var err error
	c := o.c()
	if pause {
		err = takeError(C.berth_sandbox_pause(s, &c, &op, &e), e)
	} else {
		err = takeError(C.berth_sandbox_resume(s, &c, &op, &e), e)
	}
	return uint64(op), err
}

func sandboxHibernate(s cSandbox, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	err := takeError(C.berth_sandbox_hibernate(s, &c, &op, &e), e)
	return uint64(op), err
}

func sandboxSnapshot(s cSandbox, options string, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	t, n := stringArg(options)
	err := takeError(C.berth_sandbox_snapshot(s, t, n, &c, &op, &e), e)
	return uint64(op), err
}

func snapshotList(where string) ([]byte, error) {
	var out *C.berth_buffer
	var e *C.berth_error
	w, wn := stringArg(where)
	if err := takeError(C.berth_snapshot_list(w, wn, &out, &e), e); err != nil {
		return nil, err
	}
	return takeBuffer(out), nil
}

func findInit(where string) (string, error) {
	var out *C.berth_buffer
	var e *C.berth_error
	w, wn := stringArg(where)
	if err := takeError(C.berth_find_init(w, wn, &out, &e), e); err != nil {
		return "", err
	}
	return string(takeBuffer(out)), nil
}

func checkMachine(where, rootfs string) ([]byte, error) {
	var out *C.berth_buffer
	var e *C.berth_error
	w, wn := stringArg(where)
	r, rn := stringArg(rootfs)
	if err := takeError(C.berth_check_machine(w, wn, r, rn, &out, &e), e); err != nil {
		return nil, err
	}
	return takeBuffer(out), nil
}

func snapshotRemove(where, name string) error {
	var e *C.berth_error
	w, wn := stringArg(where)
	t, n := stringArg(name)
	return takeError(C.berth_snapshot_remove(w, wn, t, n, &e), e)
}

// sandboxEgress asks, or where there are rules changes and asks.
func sandboxEgress(s cSandbox, rules string, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	if rules == "" {
		err := takeError(C.berth_sandbox_egress(s, &c, &op, &e), e)
		return uint64(op), err
	}
	t, n := stringArg(rules)
	err := takeError(C.berth_sandbox_set_egress(s, t, n, &c, &op, &e), e)
	return uint64(op), err
}

func sandboxPorts(s cSandbox, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	err := takeError(C.berth_sandbox_ports(s, &c, &op, &e), e)
	return uint64(op), err
}

func sandboxContainerStats(s cSandbox, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	err := takeError(C.berth_sandbox_container_stats(s, &c, &op, &e), e)
	return uint64(op), err
}

func sandboxDiagnose(s cSandbox, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	err := takeError(C.berth_sandbox_diagnose(s, &c, &op, &e), e)
	return uint64(op), err
}

func sandboxHandOver(s cSandbox, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	err := takeError(C.berth_sandbox_hand_over(s, &c, &op, &e), e)
	return uint64(op), err
}

func sandboxLogs(s cSandbox, which string, limit uint64, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	t, n := stringArg(which)
	err := takeError(C.berth_sandbox_logs(s, t, n, C.size_t(limit), &c, &op, &e), e)
	return uint64(op), err
}

func sandboxAnnotate(s cSandbox, key, value string, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	k, kn := stringArg(key)
	v, vn := stringArg(value)
	err := takeError(C.berth_sandbox_annotate(s, k, kn, v, vn, &c, &op, &e), e)
	return uint64(op), err
}

func sandboxWaitStopped(s cSandbox, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	err := takeError(C.berth_sandbox_wait_stopped(s, &c, &op, &e), e)
	return uint64(op), err
}

func sandboxStartDetached(s cSandbox, options string, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	t, n := stringArg(options)
	err := takeError(C.berth_sandbox_start_detached(s, t, n, &c, &op, &e), e)
	return uint64(op), err
}

func sandboxExport(s cSandbox, file string, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	t, n := stringArg(file)
	err := takeError(C.berth_sandbox_export(s, t, n, &c, &op, &e), e)
	return uint64(op), err
}

func sandboxCommit(s cSandbox, options string, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	t, n := stringArg(options)
	err := takeError(C.berth_sandbox_commit(s, t, n, &c, &op, &e), e)
	return uint64(op), err
}

func sandboxTerminate(s cSandbox, options string, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	t, n := stringArg(options)
	err := takeError(C.berth_sandbox_terminate(s, t, n, &c, &op, &e), e)
	return uint64(op), err
}

func sandboxStartDocker(s cSandbox, options string, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	t, n := stringArg(options)
	err := takeError(C.berth_sandbox_start_docker(s, t, n, &c, &op, &e), e)
	return uint64(op), err
}

func sandboxWaitDocker(s cSandbox, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	err := takeError(C.berth_sandbox_wait_docker(s, &c, &op, &e), e)
	return uint64(op), err
}

func sandboxDockerStatus(s cSandbox, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	err := takeError(C.berth_sandbox_docker_status(s, &c, &op, &e), e)
	return uint64(op), err
}

func sandboxList(l cLoop, where string, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	w, wn := stringArg(where)
	err := takeError(C.berth_sandbox_list(l, w, wn, &c, &op, &e), e)
	return uint64(op), err
}

func sandboxCollectGarbage(l cLoop, where string, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	w, wn := stringArg(where)
	err := takeError(C.berth_sandbox_collect_garbage(l, w, wn, &c, &op, &e), e)
	return uint64(op), err
}

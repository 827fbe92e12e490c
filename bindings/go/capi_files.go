// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

// Calls on a sandbox's files.

/*
#include "berth_go.h"
*/
import "C"

func filesRead(s cSandbox, path, options string, fd int, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	p, pn := stringArg(path)
	t, n := stringArg(options)
	err := takeError(C.berth_files_read(s, p, pn, t, n, C.int32_t(fd), &c, &op, &e), e)
	return uint64(op), err
}

func filesWrite(s cSandbox, path, options string, data []byte, fd int, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	p, pn := stringArg(path)
	t, n := stringArg(options)
	d, dn := bytesArg(data)
	err := takeError(C.berth_files_write(s, p, pn, t, n, d, dn, C.int32_t(fd), &c, &op, &e), e)
	return uint64(op), err
}

func filesStat(s cSandbox, path string, follow int, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	p, pn := stringArg(path)
	err := takeError(C.berth_files_stat(s, p, pn, C.int32_t(follow), &c, &op, &e), e)
	return uint64(op), err
}

func filesList(s cSandbox, path string, most uint64, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	p, pn := stringArg(path)
	err := takeError(C.berth_files_list(s, p, pn, C.uint64_t(most), &c, &op, &e), e)
	return uint64(op), err
}

func filesRemove(s cSandbox, path string, recursive int, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	p, pn := stringArg(path)
	err := takeError(C.berth_files_remove(s, p, pn, C.int32_t(recursive), &c, &op, &e), e)
	return uint64(op), err
}

func filesMakeDirectory(s cSandbox, path, options string, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	p, pn := stringArg(path)
	t, n := stringArg(options)
	err := takeError(C.berth_files_make_directory(s, p, pn, t, n, &c, &op, &e), e)
	return uint64(op), err
}

func filesRename(s cSandbox, from, to string, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	p, pn := stringArg(from)
	t, n := stringArg(to)
	err := takeError(C.berth_files_rename(s, p, pn, t, n, &c, &op, &e), e)
	return uint64(op), err
}

func filesPack(s cSandbox, path, options string, fd int, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	p, pn := stringArg(path)
	t, n := stringArg(options)
	err := takeError(C.berth_files_pack(s, p, pn, t, n, C.int32_t(fd), &c, &op, &e), e)
	return uint64(op), err
}

func filesUnpack(s cSandbox, path string, parents, fd int, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	p, pn := stringArg(path)
	err := takeError(C.berth_files_unpack(s, p, pn, C.int32_t(parents), nil, 0, C.int32_t(fd), &c, &op, &e), e)
	return uint64(op), err
}

func sandboxEvents(s cSandbox, follow int, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	err := takeError(C.berth_sandbox_events(s, C.int32_t(follow), &c, &op, &e), e)
	return uint64(op), err
}

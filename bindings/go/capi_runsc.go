// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

// Calls on runsc binaries.

/*
#include "berth_go.h"
*/
import "C"

// runscProbe blocks while the binary is asked, up to a few hundred ms.
func runscProbe(name, cacheDir string) (r cRunsc, err error) {
	var e *C.berth_error
	n, nn := stringArg(name)
	c, cn := stringArg(cacheDir)
	err = takeError(C.berth_runsc_probe(n, nn, c, cn, &r, &e), e)
	return r, err
}

func runscFromText(path, texts string) (r cRunsc, err error) {
	var e *C.berth_error
	n, nn := stringArg(path)
	t, tn := stringArg(texts)
	err = takeError(C.berth_runsc_from_text(n, nn, t, tn, &r, &e), e)
	return r, err
}

func runscFree(r cRunsc) { C.berth_runsc_free(r) }

func runscJSON(r cRunsc) ([]byte, error) {
	var out *C.berth_buffer
	var e *C.berth_error
	if err := takeError(C.berth_runsc_to_json(r, &out, &e), e); err != nil {
		return nil, err
	}
	return takeBuffer(out), nil
}

func runscHas(r cRunsc, verb, flag string) (bool, error) {
	var has C.int32_t
	var e *C.berth_error
	v, vn := stringArg(verb)
	f, fn := stringArg(flag)
	err := takeError(C.berth_runsc_has(r, v, vn, f, fn, &has, &e), e)
	return has != 0, err
}

func runscArgv(r cRunsc, verb, options string) ([]string, error) {
	var a *C.berth_argv
	var e *C.berth_error
	v, vn := stringArg(verb)
	o, on := stringArg(options)
	if err := takeError(C.berth_argv_build(r, v, vn, o, on, &a, &e), e); err != nil {
		return nil, err
	}
	out := make([]string, int(C.berth_argv_count(a)))
	for i := range out {
		out[i] = C.GoString(C.berth_argv_peek(a, C.size_t(i)))
	}
	C.berth_argv_free(a)
	return out, nil
}

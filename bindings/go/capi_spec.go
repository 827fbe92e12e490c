// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

// Calls on specs: each takes and gives JSON.

/*
#include "berth_go.h"
*/
import "C"

// telling: whether seenTo is wanted, which takes as long as a fifth of the rest.
func specApplyDocker(config []byte, options string, telling bool) (out, seenTo []byte, err error) {
	var spec, seen *C.berth_buffer
	var e *C.berth_error
	c, cn := bytesArg(config)
	o, on := stringArg(options)
	tell := C.int(0)
	if telling {
		tell = 1
	}
	if err = takeError(C.berth_go_apply_docker(c, cn, o, on, tell, &seen, &spec, &e), e); err != nil {
		return nil, nil, err
	}
	return takeBuffer(spec), takeBuffer(seen), nil
}

func specMerge(config, patch []byte) ([]byte, error) {
	var s *C.berth_spec
	var e *C.berth_error
	c, cn := bytesArg(config)
	if err := takeError(C.berth_spec_parse(c, cn, &s, &e), e); err != nil {
		return nil, err
	}
	defer C.berth_spec_free(s)
	p, pn := bytesArg(patch)
	if err := takeError(C.berth_spec_merge(s, p, pn, &e), e); err != nil {
		return nil, err
	}
	var out *C.berth_buffer
	if err := takeError(C.berth_spec_to_json(s, &out, &e), e); err != nil {
		return nil, err
	}
	return takeBuffer(out), nil
}

func specDiff(before, after []byte) ([]byte, error) {
	var a, b *C.berth_spec
	var e *C.berth_error
	p, pn := bytesArg(before)
	if err := takeError(C.berth_spec_parse(p, pn, &a, &e), e); err != nil {
		return nil, err
	}
	defer C.berth_spec_free(a)
	p, pn = bytesArg(after)
	if err := takeError(C.berth_spec_parse(p, pn, &b, &e), e); err != nil {
		return nil, err
	}
	defer C.berth_spec_free(b)
	var out *C.berth_buffer
	if err := takeError(C.berth_spec_diff(a, b, &out, &e), e); err != nil {
		return nil, err
	}
	return takeBuffer(out), nil
}

// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

// Calls on loops, and their events.

/*
#include <stdlib.h>
#include "berth_go.h"
*/
import "C"

import "unsafe"

func loopCreate(logLevel int32, queueLimit, outputLimit uint64) (l cLoop, err error) {
	options := C.berth_loop_options{
		struct_size:  C.uint32_t(unsafe.Sizeof(C.berth_loop_options{})),
		log_level:    C.int32_t(logLevel),
		queue_limit:  C.uint64_t(queueLimit),
		output_limit: C.uint64_t(outputLimit),
	}
	var e *C.berth_error
	err = takeError(C.berth_loop_create(&options, &l, &e), e)
	return l, err
}

func loopFD(l cLoop) (int, error) {
	var fd C.int32_t
	var e *C.berth_error
	err := takeError(C.berth_loop_fd(l, &fd, &e), e)
	return int(fd), err
}

func loopClose(l cLoop) error {
	var e *C.berth_error
	return takeError(C.berth_loop_close(l, &e), e)
}

func loopFree(l cLoop) { C.berth_loop_free(l) }

func opCancel(l cLoop, op uint64) error {
	var e *C.berth_error
	return takeError(C.berth_op_cancel(l, C.uint64_t(op), &e), e)
}

// event is a berth_event, all of it in Go's memory.
type event struct {
	kind    uint32
	op      uint64
	key     uint64
	status  Code
	code    int32
	err     error
	payload []byte
}

const (
	eventDone         = C.BERTH_EVENT_DONE
	eventStarted      = C.BERTH_EVENT_STARTED
	eventOutput       = C.BERTH_EVENT_OUTPUT
	eventLog          = C.BERTH_EVENT_LOG
	eventDaemonState  = C.BERTH_EVENT_DAEMON_STATE
	eventDaemonLine   = C.BERTH_EVENT_DAEMON_LINE
	eventClosed       = C.BERTH_EVENT_CLOSED
	eventSandbox      = C.BERTH_EVENT_SANDBOX
	eventRequestExec  = C.BERTH_EVENT_REQUEST_EXEC
	eventRequestStdin = C.BERTH_EVENT_REQUEST_STDIN
	eventRequestEOF   = C.BERTH_EVENT_REQUEST_STDIN_CLOSE
	eventRequestKill  = C.BERTH_EVENT_REQUEST_SIGNAL
	eventRequestEnd   = C.BERTH_EVENT_REQUEST_ABANDON
)

const pollBatch = 64

// eventBuffer is C's memory, for the events of one poll.
type eventBuffer struct{ at *C.berth_event }

func newEventBuffer() eventBuffer {
	return eventBuffer{(*C.berth_event)(C.calloc(pollBatch, C.size_t(unsafe.Sizeof(C.berth_event{}))))}
}

func (b eventBuffer) free() { C.free(unsafe.Pointer(b.at)) }

// loopPoll appends what has come, up to pollBatch events.
func loopPoll(l cLoop, b eventBuffer, to []event) ([]event, error) {
	var n C.size_t
	var e *C.berth_error
	if err := takeError(C.berth_loop_poll(l, b.at, pollBatch, &n, &e), e); err != nil {
		return to, err
	}
	cs := unsafe.Slice(b.at, pollBatch)[:int(n)]
	for i := range cs {
		c := &cs[i]
		ev := event{kind: uint32(c.kind), op: uint64(c.op), key: uint64(c.user_data), status: Code(c.status), code: int32(c.code)}
		if c.status != C.BERTH_OK {
			ev.err = goError(c.err, c.status)
		}
		if payload := C.berth_go_payload(c); payload != nil {
			ev.payload = takeBuffer(payload) // freed; clearing the event once more is harmless
		}
		C.berth_event_clear(c)
		to = append(to, ev)
	}
	return to, nil
}

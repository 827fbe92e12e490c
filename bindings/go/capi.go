//go:build cgo

package berth

// The calls into the library, one Go function each, and nothing else. None blocks, runscProbe excepted.

/*
#include <stdlib.h>
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
		Hint:    C.GoString(C.berth_error_hint(e)),
		Detail:  C.GoString(C.berth_error_detail(e)),
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

// ---- versions ----

func abiCheck() error {
	var e *C.berth_error
	return takeError(C.berth_abi_check(C.BERTH_ABI_VERSION, &e), e)
}

func statusName(c Code) string { return C.GoString(C.berth_status_name(C.berth_status(c))) }
func libraryVersion() string   { return C.GoString(C.berth_version_string()) }
func nowNS() uint64            { return uint64(C.berth_now_ns()) }

func liveHandles(kind string) uint64 {
	k := C.CString(kind)
	defer C.free(unsafe.Pointer(k))
	return uint64(C.berth_unstable_live_handles(k))
}

// ---- spec ----

func specApplyDocker(config []byte, options string) (out, seenTo []byte, err error) {
	var spec, seen *C.berth_buffer
	var e *C.berth_error
	c, cn := bytesArg(config)
	o, on := stringArg(options)
	if err = takeError(C.berth_go_apply_docker(c, cn, o, on, &seen, &spec, &e), e); err != nil {
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

// ---- runsc ----

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

// ---- loop ----

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

// ---- places ----

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

// ---- operations ----

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

func sandboxTerminate(s cSandbox, o opSettings) (uint64, error) {
	var op C.uint64_t
	var e *C.berth_error
	c := o.c()
	err := takeError(C.berth_sandbox_terminate(s, &c, &op, &e), e)
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

// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// LoopOptions are the settings of a [Loop]. The zero value is the default.
type LoopOptions struct {
	// Logger gets the library's log lines; nil: none. LogLevel is the least level of them; a lower one costs nothing.
	Logger   *slog.Logger
	LogLevel slog.Level
	// OutputLimit is how many bytes of one command's output wait before the command is made to wait; 0: 1 MiB.
	OutputLimit int
}

// Loop does the waiting, for any number of operations: one thread of the library's and one goroutine. Its methods may be
// called from any goroutine.
type Loop struct{ core *loopCore }

type loopCore struct {
	h        cLoop
	wake     *os.File
	logger   *slog.Logger
	logLevel slog.Level
	logs     *notifier
	closed   chan struct{} // everything has ended
	// The goroutines that call functions of the user's.
	notifying sync.WaitGroup

	mu       sync.Mutex
	handlers map[uint64]handler
	ended    bool
	lastKey  atomic.Uint64
	limit    int
}

// handler takes the events of one key, on the loop's goroutine: it must not block.
type handler interface{ handle(event) }

// logged is a handler with attributes of its own for the lines about it.
type logged interface{ logAttrs() []slog.Attr }

// observing is a handler that calls functions of the user's; finish returns when it calls none any more.
type observing interface{ finish() }

// NewLoop starts a loop. Close it.
func NewLoop(o LoopOptions) (*Loop, error) {
	if err := abiCheck(); err != nil {
		return nil, named("new loop", err)
	}
	level := int32(0)
	if o.Logger != nil {
		level = 1 + int32(max(0, min(3, (int(o.LogLevel)+4+3)/4)))
	}
	if o.OutputLimit < 0 {
		return nil, invalid("new loop", "OutputLimit", "a limit is not negative")
	}
	if o.OutputLimit == 0 {
		o.OutputLimit = 1 << 20
	}
	h, err := loopCreate(level, 0, uint64(o.OutputLimit))
	if err != nil {
		return nil, named("new loop", err)
	}
	fd, err := loopFD(h)
	if err == nil {
		fd, err = dupFD(fd)
	}
	if err != nil {
		loopFree(h)
		return nil, named("new loop", err)
	}
	core := &loopCore{
		h:        h,
		wake:     os.NewFile(uintptr(fd), "berth loop"), // nonblocking, so it joins Go's poller
		logger:   o.Logger,
		logLevel: o.LogLevel,
		closed:   make(chan struct{}),
		handlers: map[uint64]handler{},
		limit:    o.OutputLimit,
	}
	core.logs = core.newNotifier("log lines were dropped: the logger is slow", 65536, 16<<20)
	go core.run()
	l := &Loop{core}
	// For loops that nobody closed. What still runs on it keeps it.
	runtime.AddCleanup(l, func(h cLoop) { _ = loopClose(h) }, h)
	return l, nil
}

// Close ends the loop: what runs on it is cancelled, cleans up and returns; then it returns itself, after the last log
// line was handled. A dockerd that is supervised on it is killed: stop it before. Closing again does nothing.
// It must not be called from a log handler or a callback of this loop.
func (l *Loop) Close() error {
	err := loopClose(l.core.h)
	<-l.core.closed
	runtime.KeepAlive(l)
	if errors.Is(err, ErrClosed) {
		return nil
	}
	return named("close loop", err)
}

// run moves events from the library to those who wait for them, until the last.
func (c *loopCore) run() {
	buffer := newEventBuffer()
	var events []event
	var eight [8]byte
	for open := true; open; {
		var err error
		events, err = loopPoll(c.h, buffer, events[:0])
		if err != nil {
			break
		}
		for _, ev := range events {
			if ev.kind == eventClosed {
				open = false
				continue
			}
			c.dispatch(ev)
		}
		if len(events) < pollBatch && open {
			// Blocks no thread: the descriptor is in Go's poller.
			if _, err := c.wake.Read(eight[:]); err != nil {
				break
			}
		}
		clear(events)
	}
	buffer.free()
	loopFree(c.h)
	c.wake.Close()
	c.mu.Lock()
	c.ended = true
	left := c.handlers
	c.handlers = nil
	c.mu.Unlock()
	for key, h := range left {
		h.handle(event{kind: eventDone, key: key, status: ErrClosed, err: errLoopClosed()})
	}
	for _, h := range left {
		if o, ok := h.(observing); ok {
			o.finish()
		}
	}
	c.logs.close()
	// Also those whose handlers were unregistered before: after Close no function of the user's is called.
	c.notifying.Wait()
	close(c.closed)
}

func errLoopClosed() error {
	return &Error{Code: ErrClosed, Layer: "go", Message: "the loop was closed"}
}

func (c *loopCore) dispatch(ev event) {
	c.mu.Lock()
	h := c.handlers[ev.key]
	c.mu.Unlock()
	if ev.kind == eventLog {
		if c.logger != nil {
			var attrs []slog.Attr
			if l, ok := h.(logged); ok {
				attrs = l.logAttrs()
			}
			c.logs.addLine(len(ev.payload), func() { logTo(c.logger, ev.payload, attrs) })
		}
		return
	}
	if h != nil {
		h.handle(ev)
	}
}

// register gives the events of a new key to h.
func (c *loopCore) register(h handler) (uint64, error) {
	key := c.lastKey.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return 0, errLoopClosed()
	}
	c.handlers[key] = h
	return key, nil
}

func (c *loopCore) unregister(key uint64) {
	c.mu.Lock()
	delete(c.handlers, key)
	c.mu.Unlock()
}

// waiter takes the terminal event of one operation.
type waiter chan event

func (w waiter) handle(ev event) {
	if ev.kind == eventDone {
		w <- ev // room for the one that comes
	}
}

// settings are those of an operation under ctx.
func settings(ctx context.Context, key uint64) opSettings {
	o := opSettings{key: key}
	if deadline, ok := ctx.Deadline(); ok {
		left := max(0, time.Until(deadline))
		o.deadline = nowNS() + uint64(left)
	}
	return o
}

// cancelWith cancels an operation when ctx ends; the returned function ends that.
func (c *loopCore) cancelWith(ctx context.Context, op uint64) func() bool {
	return context.AfterFunc(ctx, func() { _ = opCancel(c.h, op) })
}

// do starts one operation and waits for its end, whatever becomes of ctx: a cancelled one has cleaned up by then.
func (l *Loop) do(ctx context.Context, name string, start func(opSettings) (uint64, error)) (event, error) {
	if ctx.Err() != nil {
		return event{}, notBegun(ctx, name)
	}
	c := l.core
	w := make(waiter, 1)
	key, err := c.register(w)
	if err != nil {
		return event{}, named(name, err)
	}
	op, err := start(settings(ctx, key))
	if err != nil {
		c.unregister(key)
		return event{}, named(name, err)
	}
	stop := c.cancelWith(ctx, op)
	ev := <-w
	stop()
	c.unregister(key)
	runtime.KeepAlive(l)
	return ev, withContext(ctx, named(name, ev.err))
}

// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"sync"
	"syscall"
)

// Place is an [Executor] of the library's own: this host, a container by `runsc exec`, or a sandbox of berth's.
type Place struct {
	loop *Loop
	h    cExecutor
	keep any // what must live as long
}

func newPlace(l *Loop, h cExecutor, err error) (*Place, error) {
	if err != nil {
		return nil, err
	}
	p := &Place{loop: l, h: h}
	runtime.AddCleanup(p, func(h cExecutor) { executorFree(h) }, h)
	return p, nil
}

// Host is this host. Commands run with a minimal environment, not with this process's.
func (l *Loop) Host() (*Place, error) {
	h, err := executorCreateHost(l.core.h)
	p, err := newPlace(l, h, err)
	return p, named("host", err)
}

// Runsc is a container of the caller's, reached by `runsc exec`. The binary is probed as by [ProbeRunsc].
func (l *Loop) Runsc(ctx context.Context, c RunscPlace) (*Place, error) {
	const name = "runsc place"
	options, err := encodeOptions(name, &c)
	if err != nil {
		return nil, err
	}
	return detached(ctx, name, func() (*Place, error) {
		h, err := executorCreateRunsc(l.core.h, options)
		return newPlace(l, h, err)
	})
}

// Close frees the place. What runs there goes on. Closing again does nothing.
func (p *Place) Close() error {
	executorFree(p.h)
	return nil
}

type execOptions struct {
	Args   []string `json:"argv"`
	Env    []string `json:"env,omitempty"`
	Dir    string   `json:"cwd,omitempty"`
	User   string   `json:"user,omitempty"`
	Stdin  string   `json:"stdin"`
	Stdout string   `json:"stdout"`
	Stderr string   `json:"stderr"`
}

type detachedOptions struct {
	Args []string `json:"argv"`
	Env  []string `json:"env,omitempty"`
	Dir  string   `json:"cwd,omitempty"`
	User string   `json:"user,omitempty"`
	Log  string   `json:"log"`
}

func (cmd *Command) options(op string) (string, error) {
	word := func(there bool, yes string) string {
		if there {
			return yes
		}
		return "null"
	}
	return encode(op, execOptions{
		Args: cmd.Args, Env: cmd.Env, Dir: cmd.Dir, User: cmd.User,
		Stdin:  word(cmd.Stdin != nil, "pipe"),
		Stdout: word(cmd.Stdout != nil, "events"),
		Stderr: word(cmd.Stderr != nil, "events"),
	})
}

// Start starts a command there.
func (p *Place) Start(ctx context.Context, cmd Command) (Process, error) {
	const name = "exec"
	if ctx.Err() != nil {
		return nil, notBegun(ctx, name)
	}
	if len(cmd.Args) == 0 {
		return nil, invalid(name, "Args", "a command has at least its program")
	}
	options, err := cmd.options(name)
	if err != nil {
		return nil, err
	}
	c := p.loop.core
	r := &running{place: p, ctx: ctx, cmd: cmd, started: make(chan struct{}), done: make(chan struct{})}
	r.arrived.L = &r.mu
	key, err := c.register(r)
	if err != nil {
		return nil, named(name, err)
	}
	op, err := execStart(p.h, options, settings(ctx, key))
	runtime.KeepAlive(p)
	if err != nil {
		c.unregister(key)
		return nil, named(name, err)
	}
	r.op = op
	stop := c.cancelWith(ctx, op)
	go r.run(key, stop)
	<-r.started
	if r.ended() && r.neverRan {
		<-r.done
		return nil, r.err
	}
	if cmd.Stdin != nil {
		go r.feed()
	}
	return r, nil
}

// running is a command of a Place.
type running struct {
	place   *Place
	ctx     context.Context
	cmd     Command
	op      uint64
	pid     int
	started chan struct{} // closed when it runs, or failed to
	done    chan struct{} // closed when Wait can return

	mu       sync.Mutex
	arrived  sync.Cond
	queue    []event // output, and at last the end
	waiting  int     // bytes of output in it
	held     bool    // the library was told to take no more
	neverRan bool
	end      *event

	fed error // what reading stdin met

	status ExitStatus
	err    error
}

func (r *running) handle(ev event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch ev.kind {
	case eventStarted:
		r.pid = int(ev.code)
		close(r.started)
		return
	case eventOutput:
		r.waiting += len(ev.payload)
		if !r.held && r.waiting > r.place.loop.core.limit {
			r.held = true
			_ = execHold(r.place.loop.core.h, ev.op, true)
		}
		r.queue = append(r.queue, ev)
	case eventDone:
		if r.end != nil {
			return
		}
		r.end = &ev
		select {
		case <-r.started:
		default:
			r.neverRan = true
			close(r.started)
		}
	}
	r.arrived.Signal()
}

func (r *running) ended() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.end != nil
}

// next gives the oldest piece of output, or the end.
func (r *running) next() (ev event, end bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.queue) == 0 && r.end == nil {
		r.arrived.Wait()
	}
	if len(r.queue) == 0 {
		return *r.end, true
	}
	ev = r.queue[0]
	r.queue[0] = event{}
	r.queue = r.queue[1:]
	return ev, false
}

func (r *running) taken(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting -= n
	if r.held && r.waiting <= r.place.loop.core.limit/2 {
		r.held = false
		_ = execHold(r.place.loop.core.h, r.op, false)
	}
}

// run writes the output to its writers, up to the end.
func (r *running) run(key uint64, stop func() bool) {
	var broken [3]bool
	var failed error
	for {
		ev, end := r.next()
		if end {
			stop()
			r.place.loop.core.unregister(key)
			r.finish(ev, failed)
			close(r.done)
			return
		}
		w := r.cmd.Stdout
		if ev.code == 2 {
			w = r.cmd.Stderr
		}
		if w != nil && !broken[ev.code&1] {
			if _, err := w.Write(ev.payload); err != nil {
				broken[ev.code&1] = true // the rest is dropped, so that the command does not hang
				failed = err
			}
		}
		r.taken(len(ev.payload))
	}
}

func (r *running) finish(ev event, writing error) {
	r.err = withContext(r.ctx, named("exec", ev.err))
	if ev.err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.fed != nil {
			r.err = &contextError{r.err, []error{r.fed}}
		}
		return
	}
	var how struct {
		Code   int `json:"exit_code"`
		Signal int `json:"signal"`
	}
	r.err = json.Unmarshal(ev.payload, &how)
	r.status = ExitStatus{Code: how.Code, Signal: syscall.Signal(how.Signal)}
	if r.err == nil {
		r.err = writing
	}
}

// feed writes stdin, held back by a slow command.
func (r *running) feed() {
	l := r.place.loop
	buffer := make([]byte, 64*1024)
	for {
		n, err := r.cmd.Stdin.Read(buffer)
		if n > 0 {
			_, writing := l.do(r.ctx, "write stdin", func(o opSettings) (uint64, error) {
				return execWrite(l.core.h, r.op, buffer[:n], o)
			})
			if writing != nil {
				return // it has ended, or closed its stdin
			}
		}
		if err == io.EOF {
			_ = execCloseStdin(l.core.h, r.op)
			return
		}
		if err != nil {
			r.mu.Lock()
			r.fed = fmt.Errorf("reading stdin: %w", err)
			r.mu.Unlock()
			_ = opCancel(l.core.h, r.op)
			return
		}
	}
}

func (r *running) Pid() int { return r.pid }

func (r *running) Signal(ctx context.Context, signal syscall.Signal) error {
	l := r.place.loop
	_, err := l.do(ctx, "signal", func(o opSettings) (uint64, error) {
		return execSignal(l.core.h, r.op, int(signal), o)
	})
	return err
}

func (r *running) Wait() (ExitStatus, error) {
	<-r.done
	return r.status, r.err
}

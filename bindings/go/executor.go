// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"syscall"
)

// callerExecutor lets the library run commands through an Executor of the caller's: it answers the library's requests.
type callerExecutor struct {
	loop *Loop
	h    cExecutor
	key  uint64
	ex   Executor
	ctx  context.Context // of all of its commands
	end  context.CancelFunc

	mu       sync.Mutex
	requests map[uint64]*request
	closing  bool // no command is started any more
	running  sync.WaitGroup
}

func newCallerExecutor(l *Loop, ex Executor) (*callerExecutor, error) {
	c := &callerExecutor{loop: l, ex: ex, requests: map[uint64]*request{}}
	c.ctx, c.end = context.WithCancel(context.Background())
	key, err := l.core.register(c)
	if err == nil {
		c.key = key
		if c.h, err = executorCreate(l.core.h, key); err != nil {
			l.core.unregister(key)
		}
	}
	if err != nil {
		c.end()
		return nil, err
	}
	return c, nil
}

// close kills what still runs and waits for it. What the library asks for meanwhile is still answered, or it would wait
// for the answer.
func (c *callerExecutor) close() {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.end()
	c.running.Wait()
	c.loop.core.unregister(c.key)
	executorFree(c.h)
}

// request is one command that the library asked for.
type request struct {
	at     *callerExecutor
	op     uint64
	ctx    context.Context
	cancel context.CancelFunc
	stdin  *inbox
	begun  chan struct{} // the executor's Start has returned
	proc   Process       // nil where it failed

	mu      sync.Mutex
	started bool
	over    bool
	early   []piece // output that came before started was told
}

type piece struct {
	stream int32
	data   []byte
}

func (c *callerExecutor) handle(ev event) {
	if ev.kind == eventDone { // the loop has ended
		c.end()
		return
	}
	c.mu.Lock()
	r := c.requests[ev.op]
	c.mu.Unlock()
	switch ev.kind {
	case eventRequestExec:
		c.begin(ev)
	case eventRequestStdin:
		if r != nil && r.stdin != nil {
			r.stdin.add(ev.payload)
		}
	case eventRequestEOF:
		if r != nil && r.stdin != nil {
			r.stdin.finish()
		}
	case eventRequestKill:
		if r != nil {
			go r.signal(syscall.Signal(ev.code))
		}
	case eventRequestEnd:
		if r != nil {
			r.cancel()
		}
	}
}

func (c *callerExecutor) begin(ev event) {
	var what struct {
		Args  []string `json:"argv"`
		Env   []string `json:"env"`
		Dir   string   `json:"cwd"`
		User  string   `json:"user"`
		Stdin bool     `json:"stdin"`
	}
	if err := json.Unmarshal(ev.payload, &what); err != nil {
		_ = executorFailed(c.h, ev.op, ErrInternal, err.Error())
		return
	}
	r := &request{at: c, op: ev.op, begun: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancel(c.ctx)
	cmd := Command{Args: what.Args, Env: what.Env, Dir: what.Dir, User: what.User}
	cmd.Stdout, cmd.Stderr = outlet{r, 1}, outlet{r, 2}
	if what.Stdin {
		r.stdin = newInbox()
		cmd.Stdin = r.stdin
	}
	c.mu.Lock()
	closing := c.closing
	if !closing {
		c.requests[ev.op] = r
		c.running.Add(1)
	}
	c.mu.Unlock()
	if closing {
		r.cancel()
		_ = executorFailed(c.h, ev.op, ErrClosed, "the supervisor was closed")
		return
	}
	go r.run(cmd)
}

func (r *request) run(cmd Command) {
	c := r.at
	defer c.running.Done()
	defer func() {
		r.cancel()
		if r.stdin != nil {
			r.stdin.finish()
		}
		c.mu.Lock()
		delete(c.requests, r.op)
		c.mu.Unlock()
	}()
	proc, err := c.ex.Start(r.ctx, cmd)
	if err == nil && proc == nil {
		err = errors.New("the executor's Start gave no process")
	}
	r.proc = proc
	close(r.begun)
	if err != nil {
		r.failed(err, ErrSpawnFailed)
		return
	}
	pid := proc.Pid() // the executor's own code: it may wait for the command's output
	r.mu.Lock()
	_ = executorStarted(c.h, r.op, pid)
	for _, p := range r.early {
		_ = executorOutput(c.h, r.op, p.stream, p.data)
	}
	r.early, r.started = nil, true
	r.mu.Unlock()

	status, err := proc.Wait()
	r.mu.Lock()
	r.over = true
	r.mu.Unlock()
	if err != nil {
		r.failed(err, ErrIO)
		return
	}
	r.exited(status)
}

func (r *request) failed(err error, otherwise Code) {
	code, text := codeOf(r.ctx, err, otherwise)
	_ = executorFailed(r.at.h, r.op, code, text)
}

// exited tells how the command ended. The library must learn of the end whatever the executor says of it.
func (r *request) exited(status ExitStatus) {
	if status == (ExitStatus{Code: -1}) { // os.ProcessState.ExitCode of a command that a signal ended
		status.Code = 255
	}
	taken := status.Code >= 0 && status.Code <= 255 && status.Signal >= 0 && status.Signal <= 64 &&
		!errors.Is(executorExited(r.at.h, r.op, status.Code, int(status.Signal)), ErrInvalid)
	if !taken {
		_ = executorFailed(r.at.h, r.op, ErrProcessExited, "the executor gave "+status.String()+
			": an exit code is 0 to 255, a signal 0 to 64")
	}
}

func (r *request) signal(s syscall.Signal) {
	<-r.begun
	if r.proc != nil && r.ctx.Err() == nil {
		_ = r.proc.Signal(r.ctx, s)
	}
}

// codeOf is what the library is told of an executor's error. A context of the executor's own that ended is a failure
// like any other: nobody cancelled the command.
func codeOf(ctx context.Context, err error, otherwise Code) (Code, string) {
	code := otherwise
	var own Code
	switch {
	case errors.As(err, &own) && own < 0:
		code = own
	case ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded):
		code = ErrTimeout
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		code = ErrCancelled
	}
	return code, err.Error()
}

// outlet takes the output of a command for the library.
type outlet struct {
	r      *request
	stream int32
}

func (o outlet) Write(data []byte) (int, error) {
	r := o.r
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.over || r.ctx.Err() != nil:
		return 0, io.ErrClosedPipe
	case !r.started:
		r.early = append(r.early, piece{o.stream, append([]byte(nil), data...)})
	default:
		if err := executorOutput(r.at.h, r.op, o.stream, data); err != nil {
			return 0, io.ErrClosedPipe
		}
	}
	return len(data), nil
}

// inbox is a command's stdin: what the library wrote, to be read at the command's pace.
type inbox struct {
	mu   sync.Mutex
	wake sync.Cond
	data []byte
	end  bool
}

func newInbox() *inbox {
	b := new(inbox)
	b.wake.L = &b.mu
	return b
}

func (b *inbox) add(data []byte) {
	b.mu.Lock()
	b.data = append(b.data, data...)
	b.mu.Unlock()
	b.wake.Signal()
}

func (b *inbox) finish() {
	b.mu.Lock()
	b.end = true
	b.mu.Unlock()
	b.wake.Signal()
}

func (b *inbox) Read(into []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.data) == 0 && !b.end {
		b.wake.Wait()
	}
	if len(b.data) == 0 {
		return 0, io.EOF
	}
	n := copy(into, b.data)
	b.data = b.data[n:]
	return n, nil
}

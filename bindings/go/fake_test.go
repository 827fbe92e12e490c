// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// fakeProcess is a process of an Executor that runs nothing: it ends when the test says how.
type fakeProcess struct {
	cmd  Command
	pid  func() int
	once sync.Once
	end  chan struct{}
	how  ExitStatus
	err  error
	// onSignal is how a signal ends it; nil: not at all.
	onSignal func(syscall.Signal) ExitStatus
}

func newFakeProcess(ctx context.Context, cmd Command) *fakeProcess {
	p := &fakeProcess{cmd: cmd, end: make(chan struct{}), pid: func() int { return 7 }}
	context.AfterFunc(ctx, func() { p.ended(ExitStatus{Signal: syscall.SIGKILL}, nil) })
	return p
}

func (p *fakeProcess) ended(how ExitStatus, err error) {
	p.once.Do(func() {
		p.how, p.err = how, err
		close(p.end)
	})
}

func (p *fakeProcess) Pid() int { return p.pid() }

func (p *fakeProcess) Signal(_ context.Context, s syscall.Signal) error {
	if p.onSignal != nil {
		p.ended(p.onSignal(s), nil)
	}
	return nil
}

func (p *fakeProcess) Wait() (ExitStatus, error) {
	<-p.end
	return p.how, p.err
}

// starting is an Executor of one function.
type starting func(context.Context, Command) (Process, error)

func (f starting) Start(ctx context.Context, cmd Command) (Process, error) { return f(ctx, cmd) }

// fakeDocker is a sandbox in which nothing but dockerd seems to run.
type fakeDocker struct {
	answers  bool                            // it gets ready
	onSignal func(syscall.Signal) ExitStatus // how dockerd takes one
	prints   func(stdout io.Writer)          // what it prints, once it is up

	mu      sync.Mutex
	daemons []*fakeProcess
}

func (f *fakeDocker) Start(ctx context.Context, cmd Command) (Process, error) {
	p := newFakeProcess(ctx, cmd)
	if !slices.Contains(cmd.Args, "start-docker") { // the guest's verb
		code := 0
		if !f.answers {
			code = 3 // no socket, says the question whether it answers
		}
		p.ended(ExitStatus{Code: code}, nil)
		return p, nil
	}
	p.onSignal = f.onSignal
	f.mu.Lock()
	f.daemons = append(f.daemons, p)
	f.mu.Unlock()
	fmt.Fprintln(cmd.Stdout, "a first line")
	nonce := ""
	for _, entry := range cmd.Env {
		if value, ok := strings.CutPrefix(entry, "BERTH_START_NONCE="); ok {
			nonce = value
		}
	}
	fmt.Fprintln(cmd.Stdout, "berth:"+nonce+":network")
	fmt.Fprintln(cmd.Stdout, "berth:"+nonce+":pid 7")
	if f.prints != nil {
		go f.prints(cmd.Stdout)
	}
	return p, nil
}

func (f *fakeDocker) last() *fakeProcess {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.daemons[len(f.daemons)-1]
}

func (f *fakeDocker) started() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.daemons)
}

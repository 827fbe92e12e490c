// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// shell is an Executor as a worker has one: its commands are this host's, by os/exec.
type shell struct{ started, killed atomic.Int32 }

type shellProcess struct {
	cmd *exec.Cmd
	ctx context.Context
	at  *shell
}

func (s *shell) Start(ctx context.Context, what Command) (Process, error) {
	cmd := exec.CommandContext(ctx, what.Args[0], what.Args[1:]...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = what.Dir, what.Stdin, what.Stdout, what.Stderr
	cmd.Env = append(os.Environ(), what.Env...)
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s.started.Add(1)
	return &shellProcess{cmd, ctx, s}, nil
}

func (p *shellProcess) Pid() int { return p.cmd.Process.Pid }

func (p *shellProcess) Signal(_ context.Context, sig syscall.Signal) error {
	return p.cmd.Process.Signal(sig)
}

func (p *shellProcess) Wait() (ExitStatus, error) {
	err := p.cmd.Wait()
	if p.ctx.Err() != nil {
		p.at.killed.Add(1)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return ExitStatus{}, err
	}
	how := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if how.Signaled() {
		return ExitStatus{Signal: how.Signal()}, nil
	}
	return ExitStatus{Code: how.ExitStatus()}, nil
}

func TestCallersExecutor(t *testing.T) {
	l := newLoop(t, LoopOptions{})
	sh := &shell{}
	c, err := newCallerExecutor(l, sh)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	// The library's own view of it: a place like any other.
	place := &Place{loop: l, h: c.h}
	var out, errs bytes.Buffer
	status, err := Run(within(t), place, Command{
		Args: []string{"/bin/sh", "-c", "cat; echo $A >&2; exit 5"}, Env: []string{"A=b"}, Stdin: strings.NewReader("through"),
		Stdout: &out, Stderr: &errs,
	})
	if err != nil || status.Code != 5 || out.String() != "through" || errs.String() != "b\n" {
		t.Error(status, err, out.String(), errs.String())
	}
	if _, err := place.Start(within(t), Command{Args: []string{"/no/such/program"}}); !errors.Is(err, ErrSpawnFailed) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(within(t))
	p, err := place.Start(ctx, Command{Args: []string{"/bin/sleep", "600"}})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := p.Wait(); !errors.Is(err, ErrCancelled) {
		t.Error(err)
	}
	eventually(t, "the executor's command was killed", func() bool { return syscall.Kill(p.Pid(), 0) == syscall.ESRCH })
}

// commandsBy runs commands by the library through an Executor.
func commandsBy(t *testing.T, ex Executor) *Place {
	t.Helper()
	l := newLoop(t, LoopOptions{})
	c, err := newCallerExecutor(l, ex)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return &Place{loop: l, h: c.h}
}

// However an executor tells of an end, the library learns of it.
func TestOddEnds(t *testing.T) {
	for _, end := range []struct {
		status ExitStatus
		err    error
		code   int  // of the library's, or
		fails  Code // the error
		text   string
	}{
		{status: ExitStatus{Code: -1}, code: 255},
		{status: ExitStatus{Code: 255}, code: 255},
		{status: ExitStatus{Code: 256}, fails: ErrProcessExited, text: "exit status 256"},
		{status: ExitStatus{Code: -2}, fails: ErrProcessExited, text: "exit status -2"},
		{status: ExitStatus{Code: 1 << 32}, fails: ErrProcessExited, text: "exit status 4294967296"},
		{status: ExitStatus{Signal: 65}, fails: ErrProcessExited, text: "signal 65"},
		{status: ExitStatus{Signal: -1}, fails: ErrProcessExited, text: "signal -1"},
		{err: errors.New("lost it"), fails: ErrIO, text: "lost it"},
		{err: &Error{Message: "no code"}, fails: ErrIO, text: "no code"},
		{err: &Error{Code: ErrHostile, Message: "bad"}, fails: ErrHostile, text: "bad"},
		{err: Code(1), fails: ErrIO},
		// Of a context of the executor's own: nobody cancelled this command.
		{err: context.DeadlineExceeded, fails: ErrIO, text: "deadline exceeded"},
		{err: context.Canceled, fails: ErrIO, text: "canceled"},
	} {
		place := commandsBy(t, starting(func(ctx context.Context, cmd Command) (Process, error) {
			p := newFakeProcess(ctx, cmd)
			p.ended(end.status, end.err)
			return p, nil
		}))
		status, err := Run(within(t), place, Command{Args: []string{"x"}})
		switch {
		case end.fails == 0:
			if err != nil || status.Code != end.code {
				t.Errorf("%v: %v %v", end.status, status, err)
			}
		case !errors.Is(err, end.fails) || !strings.Contains(err.Error(), end.text) ||
			errors.Is(err, ErrTimeout) || errors.Is(err, ErrCancelled):
			t.Errorf("%v, %v: %v", end.status, end.err, err)
		}
		if end.err == nil {
			continue
		}
		place = commandsBy(t, starting(func(context.Context, Command) (Process, error) { return nil, end.err }))
		_, err = place.Start(within(t), Command{Args: []string{"x"}})
		fails := end.fails
		if fails == ErrIO {
			fails = ErrSpawnFailed
		}
		if !errors.Is(err, fails) {
			t.Errorf("start, %v: %v", end.err, err)
		}
	}
}

// An executor that learns of the pid by the command's output.
func TestPidComesByTheOutput(t *testing.T) {
	place := commandsBy(t, starting(func(ctx context.Context, cmd Command) (Process, error) {
		p := newFakeProcess(ctx, cmd)
		p.pid = func() int {
			_, _ = io.WriteString(cmd.Stdout, "first\n")
			return 31
		}
		p.ended(ExitStatus{}, nil)
		return p, nil
	}))
	done := make(chan error, 1)
	var out bytes.Buffer
	go func() {
		_, err := Run(within(t), place, Command{Args: []string{"x"}, Stdout: &out})
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil || out.String() != "first\n" {
			t.Error(err, out.String())
		}
	case <-time.After(30 * time.Second):
		panic("Pid waits for the output, and the output for Pid") // nothing of it could be closed
	}
}

func TestSupervisorWithoutDockerd(t *testing.T) {
	init, err := FindInit(Where{})
	if err != nil {
		t.Fatal("this test needs berth-init, by BERTH_INIT: ", err)
	}
	var lines syncBuffer
	l := newLoop(t, LoopOptions{Logger: slog.New(slog.NewTextHandler(&lines, nil)), LogLevel: slog.LevelDebug})
	for name, where := range map[string]Executor{"own": &shell{}, "place": newHost(t, l)} {
		var states sync.Map
		no := false
		s, err := NewSupervisor(l, where, &DaemonOptions{
			Dockerd: "/no/such/dockerd", GuestProgram: init, SNAT: &no, LogAttrs: []slog.Attr{slog.String("box", name)}, OnState: func(s DaemonStatus) { states.Store(s.State, true) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(within(t)); !errors.Is(err, ErrDaemonNotPresent) {
			t.Errorf("%s: %v", name, err)
		}
		status, err := s.Status()
		if err != nil || status.State != DaemonNotPresent || status.Failure == nil {
			t.Errorf("%s: %+v %v", name, status, err)
		}
		if err := s.WaitReady(within(t)); !errors.Is(err, ErrDaemonNotPresent) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.DockerHost(); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
		eventually(t, "the state is told", func() bool { _, ok := states.Load(DaemonNotPresent); return ok })
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Error(err)
		}
		if err := s.Start(within(t)); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if l.Close(); !strings.Contains(lines.String(), "box=own") || !strings.Contains(lines.String(), "box=place") {
		t.Errorf("%q", lines.String())
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

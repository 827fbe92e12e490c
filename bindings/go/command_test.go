// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

func TestCommands(t *testing.T) {
	host := newHost(t, newLoop(t, LoopOptions{}))
	out, err := Output(within(t), host, "/bin/echo", "ähem")
	if err != nil || string(out) != "ähem\n" {
		t.Errorf("%q %v", out, err)
	}
	var stdout, stderr bytes.Buffer
	status, err := Run(within(t), host, Command{
		Args: []string{"/bin/sh", "-c", "cat; echo $WORD >&2; pwd; exit 7"}, Env: []string{"WORD=x y"}, Dir: "/usr",
		Stdin: strings.NewReader(strings.Repeat("0123456789", 100000)), Stdout: &stdout, Stderr: &stderr,
	})
	if err != nil || status.Code != 7 || status.Success() || stderr.String() != "x y\n" ||
		stdout.String() != strings.Repeat("0123456789", 100000)+"/usr\n" {
		t.Error(status, err, stdout.Len(), stderr.String())
	}
	_, err = Output(within(t), host, "/bin/sh", "-c", "echo no >&2; exit 3")
	var e *Error
	if !errors.Is(err, ErrProcessExited) || !errors.As(err, &e) || e.Detail != "no" {
		t.Error(err)
	}
	if _, err = host.Start(within(t), Command{Args: []string{"/no/such/program"}}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err = host.Start(within(t), Command{}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	p, err := host.Start(within(t), Command{Args: []string{"/bin/sleep", "600"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Signal(within(t), syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	for range 2 {
		if status, err := p.Wait(); err != nil || status.Signal != syscall.SIGTERM {
			t.Error(status, err)
		}
	}
	if p.Signal(within(t), syscall.SIGTERM) == nil {
		t.Error("a command that has ended was signalled")
	}
}

func TestBrokenReader(t *testing.T) {
	host := newHost(t, newLoop(t, LoopOptions{}))
	_, err := Run(within(t), host, Command{Args: []string{"/bin/cat"}, Stdin: iotest.ErrReader(io.ErrUnexpectedEOF)})
	if !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(err, ErrCancelled) ||
		!strings.Contains(err.Error(), "reading stdin: unexpected EOF") {
		t.Error(err)
	}
}

func TestBrokenWriter(t *testing.T) {
	host := newHost(t, newLoop(t, LoopOptions{}))
	status, err := Run(within(t), host, Command{Args: []string{"/bin/echo", "x"}, Stdout: brokenWriter{}})
	if !errors.Is(err, io.ErrShortWrite) || !status.Success() {
		t.Error(status, err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestCancelKillsTheCommand(t *testing.T) {
	host := newHost(t, newLoop(t, LoopOptions{}))
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("enough")
	var pid bytes.Buffer
	p, err := host.Start(ctx, Command{Args: []string{"/bin/sh", "-c", "echo $$; exec sleep 600"}, Stdout: &pid})
	if err != nil {
		t.Fatal(err)
	}
	if p.Pid() <= 0 {
		t.Error(p.Pid())
	}
	cancel(cause)
	_, err = p.Wait()
	if !errors.Is(err, context.Canceled) || !errors.Is(err, ErrCancelled) || !errors.Is(err, cause) ||
		!strings.Contains(err.Error(), "enough") {
		t.Error(err)
	}
	if err := syscall.Kill(p.Pid(), 0); err != syscall.ESRCH {
		t.Error("after Wait the command is still there: ", err)
	}
	// Before it begins.
	if _, err := host.Start(ctx, Command{Args: []string{"/bin/true"}}); !errors.Is(err, cause) || !errors.Is(err, ErrCancelled) {
		t.Error(err)
	}
}

// Whether the context's timer was first or the library's: a deadline that passed is no cancellation.
func TestADeadlineIsATimeout(t *testing.T) {
	host := newHost(t, newLoop(t, LoopOptions{}))
	for range 20 {
		ctx, end := context.WithTimeout(context.Background(), 5*time.Millisecond)
		_, err := Run(ctx, host, Command{Args: []string{"/bin/sleep", "600"}})
		end()
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrTimeout) || errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
}

// The cause comes with it, also where the library's timer was first.
func TestADeadlineHasItsCause(t *testing.T) {
	host := newHost(t, newLoop(t, LoopOptions{}))
	cause := errors.New("the job's time is over")
	for range 50 {
		ctx, end := context.WithTimeoutCause(context.Background(), 5*time.Millisecond, cause)
		_, err := Run(ctx, host, Command{Args: []string{"/bin/sleep", "600"}})
		if !errors.Is(err, ErrTimeout) || !errors.Is(err, cause) || !errors.Is(err, ctx.Err()) ||
			!strings.Contains(err.Error(), cause.Error()) {
			t.Fatal(err)
		}
		end()
	}
}

func TestTheCauseStandsBeforeTheDetail(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("enough"))
	failed := &Error{Code: ErrDaemonFailed, Op: "start docker", Message: "it failed", Detail: "last\nlines"}
	err := withContext(ctx, failed)
	if err.Error() != "berth: start docker: it failed (cause: enough)\nlast\nlines" {
		t.Errorf("%q", err.Error())
	}
}

// gate is a writer that waits until it is opened.
type gate struct {
	open  chan struct{}
	bytes atomic.Int64
}

func (g *gate) Write(b []byte) (int, error) {
	<-g.open
	g.bytes.Add(int64(len(b)))
	return len(b), nil
}

func TestSlowReaderHoldsTheCommand(t *testing.T) {
	host := newHost(t, newLoop(t, LoopOptions{OutputLimit: 256 << 10}))
	const total = 64 << 20
	g := &gate{open: make(chan struct{})}
	p, err := host.Start(within(t), Command{Args: []string{"/bin/sh", "-c", fmt.Sprintf("head -c %d /dev/zero", total)}, Stdout: g})
	if err != nil {
		t.Fatal(err)
	}
	r := p.(*running)
	waiting := func() (int, bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.waiting, r.held
	}
	eventually(t, "the command is held", func() bool { _, held := waiting(); return held })
	// What was under way still comes; then nothing.
	last := -1
	eventually(t, "the output stands still", func() bool {
		time.Sleep(200 * time.Millisecond)
		n, _ := waiting()
		still := n == last
		last = n
		return still
	})
	if n, _ := waiting(); n > 4<<20 {
		t.Errorf("%d bytes wait in memory", n)
	}
	if r.ended() {
		t.Error("the command has ended, with its output unread")
	}
	close(g.open)
	if status, err := p.Wait(); err != nil || !status.Success() || g.bytes.Load() != total {
		t.Error(status, err, g.bytes.Load())
	}
}

func TestStdinThatNeverEnds(t *testing.T) {
	host := newHost(t, newLoop(t, LoopOptions{}))
	reader, writer := io.Pipe()
	defer writer.Close()
	status, err := Run(within(t), host, Command{Args: []string{"/bin/true"}, Stdin: reader})
	if err != nil || !status.Success() {
		t.Error(status, err)
	}
}

// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"berth.dev/go/berth/internal/live"
)

func TestAfterClose(t *testing.T) {
	l := newLoop(t, LoopOptions{})
	host := newHost(t, l)
	slow := make(chan error, 1)
	p, err := host.Start(within(t), Command{Args: []string{"/bin/sleep", "600"}})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, err := p.Wait(); slow <- err }()
	// From many goroutines at once.
	var all sync.WaitGroup
	for range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}()
	}
	all.Wait()
	if err := <-slow; !errors.Is(err, ErrCancelled) {
		t.Error(err)
	}
	if syscall.Kill(p.Pid(), 0) != syscall.ESRCH {
		t.Error("the command outlives its loop")
	}
	if _, err := host.Start(within(t), Command{Args: []string{"/bin/true"}}); !errors.Is(err, ErrClosed) || !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
	if _, err := l.Host(); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := l.Poll(within(t), Probe{Unix: "/x"}, PollOptions{}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := NewSupervisor(l, &shell{}, nil); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := errors.Join(host.Close(), host.Close()); err != nil {
		t.Error(err)
	}
}

// Many goroutines use, cancel and close the same things at once; every one of them must come back, with an error or none.
func TestBadUse(t *testing.T) {
	for round := range 10 {
		l, err := NewLoop(LoopOptions{})
		if err != nil {
			t.Fatal(err)
		}
		host := newHost(t, l)
		s, err := NewSupervisor(l, &shell{}, &DaemonOptions{Dockerd: "/no/such/dockerd"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(within(t))
		var all sync.WaitGroup
		work := func(f func()) {
			all.Add(1)
			go func() { defer all.Done(); f() }()
		}
		for i := range 6 {
			work(func() { _, _ = Output(ctx, host, "/bin/echo", "x") })
			work(func() {
				_, _ = Run(ctx, host, Command{Args: []string{"/bin/sleep", "600"}, Stdin: strings.NewReader("x")})
			})
			work(func() { _, _ = l.Poll(ctx, Probe{Unix: "/no/such"}, PollOptions{}) })
			work(func() { _ = s.Start(ctx) })
			work(func() { _, _ = s.Status() })
			work(func() { _, _ = ApplyDockerJSON([]byte(`{"ociVersion":"1.1.0"}`), nil) })
			work(func() {
				time.Sleep(time.Duration(i*round) * time.Millisecond)
				switch i % 4 {
				case 0:
					_ = host.Close()
				case 1:
					cancel()
				case 2:
					_ = s.Close()
				case 3:
					_ = l.Close()
				}
			})
		}
		all.Wait()
		cancel()
		_ = s.Close()
		_ = host.Close()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	// Handles that no library has given out.
	loopFree(nil)
	executorFree(nil)
	if err := loopClose(nil); !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := (&Error{}).Is(nil); err {
		t.Error("an error is nil")
	}
}

func TestNothingLeaks(t *testing.T) {
	var small []*byte // that lives beside the objects with handles
	kinds := []string{"error", "buffer", "spec", "runsc", "argv", "loop", "executor", "daemon", "sandbox"}
	func() {
		l, err := NewLoop(LoopOptions{})
		if err != nil {
			t.Fatal(err)
		}
		host := newHost(t, l)
		_, _ = Output(within(t), host, "/bin/echo", "x")
		_, _ = Output(within(t), host, "/no/such/program")
		_, _ = ApplyDockerJSON([]byte(`{`), nil)
		_, _ = NewLoop(LoopOptions{}) // which nobody closes
		for range 16 {
			readRunsc(t, "20260701")
			small = append(small, new(byte))
		}
		_ = l.Close()
	}()
	eventually(t, "no handle is left", func() bool {
		runtime.GC()
		left := uint64(0)
		for _, kind := range kinds {
			left += live.Handles(kind)
		}
		return left == 0
	})
	runtime.KeepAlive(small)
}

func TestLogLevels(t *testing.T) {
	var lines syncBuffer
	logger := slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	logTo(logger, []byte(`{"level":"warn","message":"m","fields":{"b":"1","a":"2"},"console":""}`), []slog.Attr{slog.String("z", "3")})
	if !strings.Contains(lines.String(), "level=WARN msg=m b=1 a=2 z=3") {
		t.Error(lines.String())
	}
}

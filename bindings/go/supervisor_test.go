// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A worker's natural executor gives os.ProcessState.ExitCode(), which is -1 for a dockerd that a signal ended.
func TestSupervisorRestartsAfterASignal(t *testing.T) {
	l := newLoop(t, LoopOptions{})
	docker := &fakeDocker{answers: true, onSignal: func(syscall.Signal) ExitStatus { return ExitStatus{Code: -1} }}
	s, err := NewSupervisor(l, docker, &DaemonOptions{Restart: RestartOnFailure})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Start(within(t)); err != nil {
		t.Fatal(err)
	}
	_ = docker.last().Signal(within(t), syscall.SIGKILL)
	eventually(t, "dockerd is started anew", func() bool {
		status, err := s.Status()
		return err == nil && status.State == DaemonReady && status.Restarts == 1
	})
	if err := s.Stop(within(t)); err != nil {
		t.Error(err)
	}
	if status, err := s.Status(); err != nil || status.State != DaemonStopped {
		t.Error(status, err)
	}
}

// Whoever waits on a supervisor that is closed comes back, though nothing cancels them.
func TestSupervisorCloseEndsWhatWaits(t *testing.T) {
	l := newLoop(t, LoopOptions{})
	host := newHost(t, l)
	for _, name := range []string{"start", "wait", "stop"} {
		docker := &fakeDocker{answers: name == "stop"} // which no signal ends
		s, err := NewSupervisor(l, docker, &DaemonOptions{ReadyTimeout: time.Hour, TermTimeout: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		begin := func(op func(context.Context) error) chan error {
			done := make(chan error, 1)
			go func() { done <- op(context.Background()) }()
			return done
		}
		var all []chan error
		starting := begin(s.Start)
		eventually(t, "dockerd runs", func() bool { return docker.started() == 1 })
		switch name {
		case "start":
			all = append(all, starting)
		case "wait":
			all = append(all, starting, begin(s.WaitReady))
		case "stop":
			if err := <-starting; err != nil {
				t.Fatal(err)
			}
			all = append(all, begin(s.Stop), begin(s.Stop))
		}
		// The loop takes its orders in order: what was begun has come there before this ends.
		eventually(t, "all wait", func() bool {
			l.core.mu.Lock()
			defer l.core.mu.Unlock()
			return len(l.core.handlers) == 2+len(all) // the supervisor's, the executor's
		})
		if _, err := Output(within(t), host, "/bin/true"); err != nil {
			t.Fatal(err)
		}
		var closing sync.WaitGroup
		for range 3 {
			closing.Add(1)
			go func() { defer closing.Done(); _ = s.Close() }()
		}
		closing.Wait()
		for _, done := range all {
			select {
			case err := <-done:
				if !errors.Is(err, ErrClosed) {
					t.Errorf("%s: %v", name, err)
				}
			case <-time.After(60 * time.Second):
				t.Fatalf("%s: an operation outlives Close", name)
			}
		}
		select {
		case <-docker.last().end:
		default:
			t.Errorf("%s: dockerd outlives Close", name)
		}
		for _, op := range []func(context.Context) error{s.Start, s.WaitReady, s.Stop} {
			if err := op(within(t)); !errors.Is(err, ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// What is written after Close would be a data race for whoever reads the buffer then.
func TestNothingIsCalledAfterClose(t *testing.T) {
	l := newLoop(t, LoopOptions{})
	for range 20 {
		docker := &fakeDocker{answers: true, prints: func(w io.Writer) {
			for {
				if _, err := fmt.Fprintln(w, "a line"); err != nil {
					return
				}
				time.Sleep(50 * time.Microsecond) // or the library's queue, too, would drop what comes
			}
		}}
		var out bytes.Buffer
		var states []DaemonState
		s, err := NewSupervisor(l, docker, &DaemonOptions{
			Output: &out, OnState: func(s DaemonStatus) { states = append(states, s.State) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(within(t)); err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		// All that had come before is there.
		if !strings.Contains(out.String(), "a first line\n") || len(states) == 0 || states[len(states)-1] != DaemonReady {
			t.Error(out.Len(), states)
		}
	}
}

// A dockerd that prints without end, to a reader that has stopped, hides nothing of what others are told.
func TestANoisyDaemonHidesNothing(t *testing.T) {
	lines := new(syncBuffer)
	l := newLoop(t, LoopOptions{Logger: slog.New(slog.NewTextHandler(lines, nil))})
	host := newHost(t, l)
	stuck := &gate{open: make(chan struct{})}
	printed := make(chan struct{})
	noisy := &fakeDocker{answers: true, prints: func(w io.Writer) {
		line := strings.Repeat("x", 1000) + "\n"
		for range 40 << 10 { // 40 MiB
			_, _ = io.WriteString(w, line)
		}
		close(printed)
	}}
	var mine []DaemonState
	a, err := NewSupervisor(l, noisy, &DaemonOptions{
		Output: stuck, LogAttrs: []slog.Attr{slog.String("box", "noisy")},
		OnState: func(s DaemonStatus) { mine = append(mine, s.State) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(within(t)); err != nil {
		t.Fatal(err)
	}
	<-printed
	settle := func() { // events come in order: when a command's end has come, all that was before has
		if _, err := Output(within(t), host, "/bin/true"); err != nil {
			t.Fatal(err)
		}
	}
	settle()
	var states sync.Map
	quiet := &fakeDocker{answers: true}
	b, err := NewSupervisor(l, quiet, &DaemonOptions{OnState: func(s DaemonStatus) { states.Store(s.State, true) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Start(within(t)); err != nil {
		t.Fatal(err)
	}
	quiet.last().ended(ExitStatus{Code: 1}, nil)
	eventually(t, "the other's failure is told", func() bool { _, ok := states.Load(DaemonFailed); return ok })
	noisy.last().ended(ExitStatus{Code: 1}, nil)
	eventually(t, "its own failure has come", func() bool {
		s, err := a.Status()
		return err == nil && s.State == DaemonFailed
	})
	settle()
	close(stuck.open)
	_ = a.Close()
	_ = b.Close()
	if len(mine) == 0 || mine[len(mine)-1] != DaemonFailed {
		t.Error(mine)
	}
	if n := stuck.bytes.Load(); n > 4<<20 {
		t.Errorf("%d bytes were kept for a reader that had stopped", n)
	}
	if !strings.Contains(lines.String(), "dropped=") || !strings.Contains(lines.String(), "box=noisy") {
		t.Error(lines.String())
	}
}

func TestStatusKeepsItsFieldsInJSON(t *testing.T) {
	code := 3
	for _, status := range []DaemonStatus{
		{State: DaemonReady, Pid: 7, ReadyAfter: 1234567891 * time.Nanosecond, Restarts: 2},
		{State: DaemonFailed, Failure: &DaemonFailure{
			Code: ErrDaemonFailed, Phase: "socket", Message: "m", Elapsed: 1001 * time.Microsecond, Attempts: 4, ExitCode: &code,
			Reason: "r", LastProbe: "p", Output: "t", HintID: "BERTH-1", Hint: "h",
		}},
	} {
		text, err := json.Marshal(status)
		if err != nil {
			t.Fatal(err)
		}
		var back DaemonStatus
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, status) {
			t.Errorf("%s: %+v %v", text, back, err)
		}
	}
}

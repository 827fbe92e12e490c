// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"runtime"
	"sync"
	"time"
)

// DaemonState is where a dockerd stands.
type DaemonState string

const (
	DaemonDisabled   DaemonState = "disabled"    // none was asked for
	DaemonNotPresent DaemonState = "not_present" // the root file system has no dockerd
	DaemonStarting   DaemonState = "starting"
	DaemonReady      DaemonState = "ready" // it answers
	DaemonFailed     DaemonState = "failed"
	DaemonStopped    DaemonState = "stopped"
)

// DaemonStatus is what is known of a dockerd.
type DaemonStatus struct {
	State      DaemonState
	Pid        int           // inside the sandbox, or 0
	ReadyAfter time.Duration // from start to ready
	Restarts   int
	Failure    *DaemonFailure // why it is not ready, where that is known
}

// DaemonFailure tells how far dockerd came.
type DaemonFailure struct {
	Code      Code   // what kind of failure it is
	Phase     string // check, prepare, start, wait or run
	Message   string // what failed, in one line
	Elapsed   time.Duration
	Attempts  int    // of the readiness probe
	ExitCode  *int   // of dockerd, when it exited by itself
	Signal    *int   // that ended it
	Reason    string // why, where no exit status says it
	LastProbe string // what the last probe met
	Output    string // dockerd's last lines
	HintID    string // where the symptom is known: its stable name
	Hint      string // and what to do
}

// The library's form of a status, and of its failure.
type (
	wireStatus struct {
		State    DaemonState  `json:"state"`
		Pid      int          `json:"pid"`
		ReadyMS  float64      `json:"ready_after_ms"`
		Restarts int          `json:"restarts"`
		Failure  *wireFailure `json:"failure"`
	}
	wireFailure struct {
		Code      Code    `json:"code"`
		Phase     string  `json:"phase"`
		Message   string  `json:"message"`
		ElapsedMS float64 `json:"elapsed_ms"`
		Attempts  int     `json:"attempts"`
		ExitCode  *int    `json:"exit_code"`
		Signal    *int    `json:"signal"`
		Reason    string  `json:"reason"`
		LastProbe string  `json:"last_probe"`
		Output    string  `json:"output"`
		HintID    string  `json:"hint_id"`
		Hint      string  `json:"hint"`
	}
)

// UnmarshalJSON reads the library's form: names as ready_after_ms, times in milliseconds.
func (s *DaemonStatus) UnmarshalJSON(b []byte) error {
	var in wireStatus
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*s = DaemonStatus{State: in.State, Pid: in.Pid, ReadyAfter: milliseconds(in.ReadyMS), Restarts: in.Restarts}
	if f := in.Failure; f != nil {
		s.Failure = &DaemonFailure{f.Code, f.Phase, f.Message, milliseconds(f.ElapsedMS), f.Attempts, f.ExitCode, f.Signal, f.Reason, f.LastProbe,
			f.Output, f.HintID, inOwnWords(f.Hint)}
	}
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (s DaemonStatus) MarshalJSON() ([]byte, error) {
	out := wireStatus{s.State, s.Pid, asMilliseconds(s.ReadyAfter), s.Restarts, nil}
	if f := s.Failure; f != nil {
		out.Failure = &wireFailure{f.Code, f.Phase, f.Message, asMilliseconds(f.Elapsed), f.Attempts, f.ExitCode, f.Signal, f.Reason,
			f.LastProbe, f.Output, f.HintID, f.Hint}
	}
	return json.Marshal(out)
}

func milliseconds(ms float64) time.Duration {
	return time.Duration(math.Round(ms * float64(time.Millisecond)))
}

func asMilliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func inMilliseconds(d time.Duration) int64 {
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}

// Restart says what happens when dockerd ends by itself.
type Restart string

const (
	RestartNever     Restart = "never"
	RestartOnFailure Restart = "on-failure"
)

// observer hands state changes and lines of one dockerd to its options' functions.
type observer struct {
	notes   *notifier
	options DaemonOptions
}

func newObserver(l *Loop, o *DaemonOptions) observer {
	out := observer{notes: l.core.newNotifier("lines of dockerd's were dropped: their reader is slow", 4096, 1<<20)}
	if o != nil {
		out.options = *o
	}
	out.notes.attrs = out.options.LogAttrs
	return out
}

func (o *observer) observe(ev event) {
	switch {
	case ev.kind == eventDaemonState && o.options.OnState != nil:
		var status DaemonStatus
		if json.Unmarshal(ev.payload, &status) == nil {
			f := o.options.OnState
			o.notes.add(func() { f(status) })
		}
	case ev.kind == eventDaemonLine && o.options.Output != nil:
		line, w := append(ev.payload, '\n'), o.options.Output
		o.notes.addLine(len(line), func() { _, _ = w.Write(line) })
	}
}

func (o *observer) logAttrs() []slog.Attr { return o.options.LogAttrs }
func (o *observer) finish()               { o.notes.close() }

// Supervisor starts dockerd in a sandbox that berth does not own, waits until it answers, keeps an eye on it and stops it.
type Supervisor struct {
	loop   *Loop
	h      cDaemon
	own    *callerExecutor // nil where a Place is used
	place  *Place
	socket string
	key    uint64
	observer
	once sync.Once

	life    context.Context // ends with Close
	end     context.CancelFunc
	mu      sync.Mutex // held where life ends and where operations begin
	running sync.WaitGroup
}

// NewSupervisor makes a supervisor whose commands run through where; nothing is started yet. Close it.
func NewSupervisor(l *Loop, where Executor, o *DaemonOptions) (*Supervisor, error) {
	const name = "new supervisor"
	if l == nil || where == nil {
		return nil, invalid(name, "", "a loop and an executor are needed")
	}
	text, err := encodeOptions(name, o)
	if err != nil {
		return nil, err
	}
	s := &Supervisor{loop: l, observer: newObserver(l, o)}
	s.life, s.end = context.WithCancel(context.Background())
	s.socket = s.options.HostSocket
	var h cExecutor
	if p, ok := where.(*Place); ok && p.loop.core == l.core {
		s.place, h = p, p.h
	} else {
		if s.own, err = newCallerExecutor(l, where); err != nil {
			return nil, named(name, err)
		}
		h = s.own.h
	}
	if s.key, err = l.core.register(s); err == nil {
		if s.h, err = daemonCreate(h, text, s.key); err != nil {
			l.core.unregister(s.key)
		}
	}
	runtime.KeepAlive(where)
	if err != nil {
		if s.own != nil {
			s.own.close()
		}
		return nil, named(name, err)
	}
	return s, nil
}

func (s *Supervisor) handle(ev event) { s.observe(ev) }

// do runs an operation, which Close ends.
func (s *Supervisor) do(ctx context.Context, name string, start func(cDaemon, opSettings) (uint64, error)) error {
	s.mu.Lock()
	if s.life.Err() != nil {
		s.mu.Unlock()
		return supervisorClosed(name)
	}
	s.running.Add(1)
	s.mu.Unlock()
	defer s.running.Done()
	stop := func() bool { return true }
	_, err := s.loop.do(ctx, name, func(o opSettings) (uint64, error) {
		op, err := start(s.h, o)
		if err == nil {
			stop = s.loop.core.cancelWith(s.life, op)
		}
		return op, err
	})
	stop()
	if s.life.Err() != nil && ctx.Err() == nil && errors.Is(err, ErrCancelled) {
		return supervisorClosed(name)
	}
	return err
}

func supervisorClosed(name string) error {
	return &Error{Code: ErrClosed, Layer: "go", Op: name, Message: "the supervisor was closed"}
}

// Start checks, prepares and starts dockerd, and returns when it answers; it is supervised from then on. The error is
// ErrDaemonNotPresent, ErrDaemonFailed or ErrDaemonNotReady, with dockerd's last lines as Detail; Status has the parts.
func (s *Supervisor) Start(ctx context.Context) error {
	return s.do(ctx, "start docker", daemonStart)
}

// WaitReady waits until dockerd answers, or until a state from which it will not come to.
func (s *Supervisor) WaitReady(ctx context.Context) error {
	return s.do(ctx, "wait for docker", daemonWaitReady)
}

// Stop stops the containers, then dockerd: TERM, then KILL, each with its time.
func (s *Supervisor) Stop(ctx context.Context) error {
	return s.do(ctx, "stop docker", daemonStop)
}

// Status is what is known now; it does not wait.
func (s *Supervisor) Status() (DaemonStatus, error) {
	var status DaemonStatus
	b, err := daemonStatusJSON(s.h)
	if err != nil {
		return status, named("docker status", err)
	}
	return status, json.Unmarshal(b, &status)
}

// DockerHost is the address for Docker's clients on this host, as in DOCKER_HOST. It needs HostSocket.
func (s *Supervisor) DockerHost() (string, error) {
	if s.socket == "" {
		return "", &Error{Code: ErrUnsupported, Layer: "go", Op: "docker host", Path: "HostSocket",
			Message: "the supervisor was not told where this host reaches dockerd's socket"}
	}
	return "unix://" + s.socket, nil
}

// Close ends the supervision; a dockerd that still runs is killed: Stop it before. What waits in Start, WaitReady or
// Stop returns with ErrClosed. After Close the commands of a caller's own executor have ended, and neither OnState nor
// Output is called any more. It must not be called from these, nor under a lock that they wait for. Closing again does
// nothing.
func (s *Supervisor) Close() error {
	s.once.Do(func() {
		s.mu.Lock()
		s.end()
		s.mu.Unlock()
		s.running.Wait()
		daemonFree(s.h)
		if s.own != nil {
			s.own.close()
		}
		s.loop.core.unregister(s.key)
		s.finish()
	})
	return nil
}

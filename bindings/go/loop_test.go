//go:build cgo

package berth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

func newLoop(t testing.TB, o LoopOptions) *Loop {
	t.Helper()
	l, err := NewLoop(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func newHost(t testing.TB, l *Loop) *Place {
	t.Helper()
	p, err := l.Host()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits for something that comes by itself.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for range 3000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("this did not come: %s", what)
}

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
	if !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(err, ErrCancelled) {
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
	if !errors.Is(err, context.Canceled) || !errors.Is(err, ErrCancelled) || !errors.Is(err, cause) {
		t.Error(err)
	}
	if err := syscall.Kill(p.Pid(), 0); err != syscall.ESRCH {
		t.Error("after Wait the command is still there: ", err)
	}
	// Before it begins.
	if _, err := host.Start(ctx, Command{Args: []string{"/bin/true"}}); !errors.Is(err, cause) || !errors.Is(err, ErrCancelled) {
		t.Error(err)
	}
	ctx, end := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer end()
	_, err = Run(ctx, host, Command{Args: []string{"/bin/sleep", "600"}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
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

func TestSupervisorWithoutDockerd(t *testing.T) {
	var lines syncBuffer
	l := newLoop(t, LoopOptions{Logger: slog.New(slog.NewTextHandler(&lines, nil)), LogLevel: slog.LevelDebug})
	for name, where := range map[string]Executor{"own": &shell{}, "place": newHost(t, l)} {
		var states sync.Map
		no := false
		s, err := NewSupervisor(l, where, &DaemonOptions{
			Dockerd: "/no/such/dockerd", SNAT: &no, LogAttrs: []slog.Attr{slog.String("box", name)}, OnState: func(s DaemonStatus) { states.Store(s.State, true) },
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

func serveUnix(t testing.TB, after time.Duration) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	go func() {
		time.Sleep(after)
		listener, err := net.Listen("unix", path)
		if err != nil {
			t.Error(err)
			return
		}
		server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { fmt.Fprint(rw, "OK") })}
		t.Cleanup(func() { server.Close() })
		_ = server.Serve(listener)
	}()
	return path
}

func TestPoll(t *testing.T) {
	l := newLoop(t, LoopOptions{})
	path := serveUnix(t, 100*time.Millisecond)
	r, err := l.Poll(within(t), Probe{Unix: path, Target: "/_ping"}, PollOptions{First: 5 * time.Millisecond, Max: 20 * time.Millisecond})
	if err != nil || r.Attempts < 1 || !r.Connected {
		t.Error(r, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	r, err = l.Poll(ctx, Probe{Unix: "/no/such/socket"}, PollOptions{})
	if !errors.Is(err, context.DeadlineExceeded) || r.Attempts < 1 || r.Last == "" {
		t.Error(r, err)
	}
	host := newHost(t, l)
	if _, err := l.Poll(within(t), Probe{Args: []string{"/bin/true"}, Where: host}, PollOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := l.Poll(within(t), Probe{Args: []string{"/bin/true"}}, PollOptions{}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if _, err := l.Poll(within(t), Probe{}, PollOptions{}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

func threads(t testing.TB) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "\nThreads:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTwoHundredWaitsNeedFewThreads(t *testing.T) {
	l := newLoop(t, LoopOptions{})
	before := threads(t)
	ctx, cancel := context.WithCancel(within(t))
	var waits sync.WaitGroup
	var ended atomic.Int32
	for range 200 {
		waits.Add(1)
		go func() {
			defer waits.Done()
			if _, err := l.Poll(ctx, Probe{Unix: "/no/such/socket"}, PollOptions{}); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			ended.Add(1)
		}()
	}
	eventually(t, "200 waits", func() bool {
		l.core.mu.Lock()
		defer l.core.mu.Unlock()
		return len(l.core.handlers) == 200
	})
	if now := threads(t); now > before+4*runtime.GOMAXPROCS(0)+8 {
		t.Errorf("%d threads, %d before", now, before)
	}
	if ended.Load() != 0 {
		t.Error("some waits have ended")
	}
	cancel()
	waits.Wait()
}

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
		_ = l.Close()
	}()
	eventually(t, "no handle is left", func() bool {
		runtime.GC()
		left := uint64(0)
		for _, kind := range kinds {
			left += liveHandles(kind)
		}
		return left == 0
	})
}

func TestLogLevels(t *testing.T) {
	var lines syncBuffer
	logger := slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	logTo(logger, []byte(`{"level":"warn","message":"m","fields":{"b":"1","a":"2"},"console":""}`), []slog.Attr{slog.String("z", "3")})
	if !strings.Contains(lines.String(), "level=WARN msg=m b=1 a=2 z=3") {
		t.Error(lines.String())
	}
}

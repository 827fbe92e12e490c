// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

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

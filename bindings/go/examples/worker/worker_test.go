// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// runscScript answers as a runsc of 2026 does, writes its verbs to DIR/verbs, waits in VERB while there is
// DIR/hold.VERB, and fails in VERB where there is DIR/fail.VERB, once.
const runscScript = `#!/bin/sh
dir=%s golden=%s
case $1 in
  --version | -version) exec cat $golden/version.txt ;;
  flags) exec cat $golden/flags.txt ;;
  help) if [ $# = 1 ]; then exec cat $golden/help.txt; fi; exec cat $golden/help-$2.txt ;;
esac
for word; do
  case $word in run | delete) verb=$word ;; esac
done
echo "$verb" >>$dir/verbs
while [ -e $dir/hold.$verb ]; do sleep 0.05; done
if [ -e $dir/fail.$verb ]; then
  rm $dir/fail.$verb
  echo "this $verb fails" >&2
  exit 1
fi
echo "$verb is done" >>$dir/verbs
`

type testWorker struct {
	t      *testing.T
	dir    string
	client *http.Client
	ended  chan error
}

func startWorker(t *testing.T) *testWorker {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "bgo") // short enough for a socket below it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	golden, err := filepath.Abs("../../../../tests/golden/runsc/binaries/20260701")
	if err != nil {
		t.Fatal(err)
	}
	runsc := filepath.Join(dir, "runsc")
	if err := os.WriteFile(runsc, fmt.Appendf(nil, runscScript, dir, golden), 0o700); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	w := &testWorker{t: t, dir: dir, ended: make(chan error, 1)}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	w.client = &http.Client{Transport: &http.Transport{DialContext: dial}}
	go func() {
		w.ended <- serve("unix:"+socket, runsc, filepath.Join(dir, "state"), time.Minute, slog.New(slog.DiscardHandler))
	}()
	w.eventually("the worker serves", func() bool { _, err := os.Stat(socket); return err == nil })
	return w
}

func (w *testWorker) eventually(what string, is func() bool) {
	w.t.Helper()
	for range 3000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.t.Fatalf("this did not come: %s; %q", what, w.verbs())
}

// end sends this process a SIGTERM, which the worker takes.
func (w *testWorker) end() {
	w.t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		w.t.Fatal(err)
	}
}

func (w *testWorker) wait() {
	w.t.Helper()
	select {
	case err := <-w.ended:
		if err != nil {
			w.t.Error(err)
		}
	case <-time.After(60 * time.Second):
		w.t.Fatal("the worker does not end")
	}
}

func (w *testWorker) touch(name string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), nil, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *testWorker) untouch(name string) {
	w.t.Helper()
	if err := os.Remove(filepath.Join(w.dir, name)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *testWorker) verbs() string {
	b, _ := os.ReadFile(filepath.Join(w.dir, "verbs"))
	return string(bytes.ReplaceAll(bytes.TrimSpace(b), []byte("\n"), []byte(", ")))
}

func (w *testWorker) call(method, path, body string) int {
	w.t.Helper()
	request, err := http.NewRequest(method, "http://worker"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	answer, err := w.client.Do(request)
	if err != nil {
		return 0 // cut off
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

func (w *testWorker) later(method, path, body string) chan int {
	done := make(chan int, 1)
	go func() { done <- w.call(method, path, body) }()
	return done
}

const oneSandbox = `{"id":"one","spec":{"ociVersion":"1.1.0","process":{"args":["sh"]}}}`

// A container that could not be deleted is not forgotten.
func TestRemovalIsTriedAgain(t *testing.T) {
	w := startWorker(t)
	if status := w.call("POST", "/sandboxes", oneSandbox); status != http.StatusCreated {
		t.Fatal(status)
	}
	w.touch("fail.delete")
	if status := w.call("DELETE", "/sandboxes/one", ""); status != http.StatusInternalServerError {
		t.Error(status)
	}
	if status := w.call("GET", "/sandboxes/one", ""); status != http.StatusOK {
		t.Error(status)
	}
	if status := w.call("DELETE", "/sandboxes/one", ""); status != http.StatusNoContent {
		t.Error(status)
	}
	if status := w.call("GET", "/sandboxes/one", ""); status != http.StatusNotFound {
		t.Error(status)
	}
	if got, want := w.verbs(), "run, run is done, delete, delete, delete is done"; got != want {
		t.Errorf("%q, wanted %q", got, want)
	}
	w.end()
	w.wait()
}

// Neither a creation that fails: its container may be there.
func TestFailedCreationIsRemoved(t *testing.T) {
	w := startWorker(t)
	w.touch("fail.run")
	if status := w.call("POST", "/sandboxes", oneSandbox); status != http.StatusInternalServerError {
		t.Error(status)
	}
	if status := w.call("GET", "/sandboxes/one", ""); status != http.StatusNotFound {
		t.Error(status)
	}
	w.touch("fail.run")
	w.touch("fail.delete")
	if status := w.call("POST", "/sandboxes", oneSandbox); status != http.StatusInternalServerError {
		t.Error(status)
	}
	if status := w.call("POST", "/sandboxes", oneSandbox); status != http.StatusBadRequest { // taken
		t.Error(status)
	}
	w.end()
	w.wait()
	if got, want := w.verbs(), "run, delete, delete is done, run, delete, delete, delete is done"; got != want {
		t.Errorf("%q, wanted %q", got, want)
	}
}

// The second of two removals answers when the first is done, and the id is free only then.
func TestRemovalsWaitForEachOther(t *testing.T) {
	w := startWorker(t)
	if status := w.call("POST", "/sandboxes", oneSandbox); status != http.StatusCreated {
		t.Fatal(status)
	}
	w.touch("hold.delete")
	first := w.later("DELETE", "/sandboxes/one", "")
	w.eventually("the removal has begun", func() bool { return strings.Contains(w.verbs(), "delete") })
	second := w.later("DELETE", "/sandboxes/one", "")
	if status := w.call("POST", "/sandboxes", oneSandbox); status != http.StatusBadRequest {
		t.Error(status)
	}
	select {
	case status := <-second:
		t.Error("the second removal did not wait: ", status)
		second <- status
	default:
	}
	w.untouch("hold.delete")
	if a, b := <-first, <-second; a != http.StatusNoContent || b != http.StatusNoContent && b != http.StatusNotFound {
		t.Error(a, b)
	}
	if status := w.call("POST", "/sandboxes", oneSandbox); status != http.StatusCreated {
		t.Error(status)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "state", "one", "config.json")); err != nil {
		t.Error("the new one's directory was removed: ", err)
	}
	w.end()
	w.wait()
}

// A removal that comes during the creation removes what the creation makes.
func TestRemovalWaitsForTheCreation(t *testing.T) {
	w := startWorker(t)
	w.touch("hold.run")
	creation := w.later("POST", "/sandboxes", oneSandbox)
	w.eventually("the creation has begun", func() bool { return strings.Contains(w.verbs(), "run") })
	removal := w.later("DELETE", "/sandboxes/one", "")
	if status := w.call("GET", "/sandboxes/one", ""); status != http.StatusOK {
		t.Error(status)
	}
	w.untouch("hold.run")
	if a, b := <-creation, <-removal; a != http.StatusCreated || b != http.StatusNoContent {
		t.Error(a, b)
	}
	if got, want := w.verbs(), "run, run is done, delete, delete is done"; got != want {
		t.Errorf("%q, wanted %q", got, want)
	}
	w.end()
	w.wait()
}

// A worker that ends during a creation leaves no container.
func TestEndWaitsForTheCreation(t *testing.T) {
	w := startWorker(t)
	w.touch("hold.run")
	creation := w.later("POST", "/sandboxes", oneSandbox)
	w.eventually("the creation has begun", func() bool { return strings.Contains(w.verbs(), "run") })
	w.end()
	w.eventually("nothing new is begun", func() bool {
		status := w.call("GET", "/sandboxes/one", "")
		return status == http.StatusServiceUnavailable || status == 0
	})
	select {
	case err := <-w.ended:
		t.Fatal("the worker ended before its creation: ", err)
	default:
	}
	w.untouch("hold.run")
	<-creation
	w.wait()
	if got, want := w.verbs(), "run, run is done, delete, delete is done"; got != want {
		t.Errorf("%q, wanted %q", got, want)
	}
	if left, err := os.ReadDir(filepath.Join(w.dir, "state")); err != nil || len(left) != 0 {
		t.Error(left, err)
	}
}

// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
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
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

// real is what the tests on runsc and dockerd need from the environment; `scripts/setup --print` shows it.
type real struct{ runsc, rootfs, image, imageName string }

func needReal(t *testing.T) real {
	t.Helper()
	r := real{os.Getenv("BERTH_RUNSC"), os.Getenv("BERTH_TEST_ROOTFS"), os.Getenv("BERTH_TEST_IMAGE"), os.Getenv("BERTH_TEST_IMAGE_NAME")}
	if r.runsc == "" || r.rootfs == "" || r.image == "" || r.imageName == "" || os.Geteuid() != 0 {
		t.Fatal("this test runs sandboxes: it needs root, BERTH_RUNSC, BERTH_TEST_ROOTFS, BERTH_TEST_IMAGE and BERTH_TEST_IMAGE_NAME")
	}
	return r
}

func minutes(t *testing.T, n int) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(n)*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// shortDir is a directory with a path short enough for sockets below it.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "bgo")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// runsc 2026-09 leaves a mount to whoever made its root directory.
		for _, below := range []string{"*", "*/*"} {
			left, _ := filepath.Glob(filepath.Join(dir, below, "null-netns"))
			for _, mount := range left {
				_ = syscall.Unmount(mount, 0)
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err) // something is mounted there still
		}
	})
	return dir
}

func overUnix(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
}

func workerSpec(r real) map[string]any {
	namespaces := []map[string]string{}
	for _, kind := range []string{"pid", "ipc", "uts", "mount", "network"} {
		namespaces = append(namespaces, map[string]string{"type": kind})
	}
	return map[string]any{
		"ociVersion": "1.1.0",
		"process": map[string]any{
			"cwd": "/", "args": []string{"/bin/sleep", "infinity"}, "user": map[string]int{"uid": 0, "gid": 0},
			"env": []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		},
		"root": map[string]string{"path": r.rootfs}, "hostname": "worker",
		"mounts": []map[string]any{
			{"destination": "/proc", "type": "proc", "source": "proc"},
			{"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
			{"destination": "/image.tar", "type": "bind", "source": r.image, "options": []string{"bind", "ro"}},
		},
		"linux":           map[string]any{"namespaces": namespaces},
		"x-platform-data": map[string]any{"kept": true},
	}
}

type httpWorker struct {
	t      *testing.T
	client *http.Client
	lines  *syncBuffer
}

func (w httpWorker) call(method, path string, body any) (int, string, http.Header) {
	w.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(minutes(w.t, 3), method, "http://worker"+path, bytes.NewReader(b))
	if err != nil {
		w.t.Fatal(err)
	}
	answer, err := w.client.Do(request)
	if err != nil {
		w.t.Fatal(err, w.lines.String())
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err, w.lines.String())
	}
	return answer.StatusCode, string(text), answer.Trailer
}

func (w httpWorker) exec(id string, args ...string) (string, string) {
	w.t.Helper()
	status, out, trailer := w.call("POST", "/sandboxes/"+id+"/exec", map[string]any{"args": args})
	if status != http.StatusOK {
		w.t.Fatal(status, out, w.lines.String())
	}
	return out, trailer.Get("Exit-Code")
}

func TestLogsAnnotationsAndTheEnd(t *testing.T) {
	s, _ := plainSandbox(t)
	if err := s.Annotate(minutes(t, 1), "task", "seven"); err != nil {
		t.Fatal(err)
	}
	if now, err := s.State(minutes(t, 1)); err != nil || now.Annotations["task"] != "seven" {
		t.Error(now.Annotations, err)
	}
	if _, err := Output(minutes(t, 1), s, "sh", "-c", "echo said > /run/berth/command.log"); err != nil {
		t.Fatal(err)
	}
	if text, err := s.Logs(minutes(t, 1), CommandLog, 0); err != nil || text != "said\n" {
		t.Errorf("%q %v", text, err)
	}
	if _, err := s.Logs(minutes(t, 1), "other", 0); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.WaitStopped(minutes(t, 1)) }()
	now, err := s.State(minutes(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(now.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Containers are told to stop; those that are to end at once hear of nothing.
func TestTerminateStopsContainersInOrder(t *testing.T) {
	r, l, lines, where := needSandboxes(t)
	out := t.TempDir()
	said := func() string { words, _ := os.ReadFile(filepath.Join(out, "words")); return string(words) }
	const trap = "trap 'echo told >> /out/words; exit 0' TERM; echo up > /out/up; while :; do sleep 0.1; done"
	for _, force := range []bool{true, false} {
		s, err := l.CreateSandbox(minutes(t, 2), where, SandboxConfig{RootFS: r.rootfs, Docker: &SandboxDocker{},
			Mounts: []Mount{{Source: out, Destination: "/out"}, {Source: r.image, Destination: "/image.tar", ReadOnly: true}}})
		if err != nil {
			t.Fatal(err, lines.String())
		}
		defer s.Close()
		defer func() { _ = s.TerminateWith(minutes(t, 1), TerminateOptions{Force: true}) }()
		if err := s.WaitDocker(minutes(t, 1)); err != nil {
			t.Fatal(err, lines.String())
		}
		for _, argv := range [][]string{
			{"docker", "load", "-q", "-i", "/image.tar"},
			{"docker", "run", "-d", "--name", "web", "-p", "8080:80", "-v", "/out:/out", r.imageName, "sh", "-c", trap},
			{"sh", "-c", "until [ -e /out/up ]; do sleep 0.1; done; rm /out/up"},
		} {
			if _, err := Output(minutes(t, 1), s, argv...); err != nil {
				t.Fatal(argv, err)
			}
		}
		ports, err := s.Ports(minutes(t, 1))
		if err != nil || len(ports.Published) != 0 || len(ports.Containers) != 1 || ports.Containers[0].Name != "web" ||
			!slices.Contains(ports.Containers[0].Ports, "0.0.0.0:8080:80/tcp") {
			t.Error(ports, err)
		}
		stats, err := s.ContainerStats(minutes(t, 1))
		if err != nil || len(stats) != 1 || stats[0].Name != "web" || stats[0].MemoryLimit != nil || stats[0].Memory == nil ||
			stats[0].CPU == nil || stats[0].Processes == nil {
			t.Error(stats, err)
		}
		if err := s.TerminateWith(minutes(t, 2), TerminateOptions{Force: force}); err != nil {
			t.Error(err)
		}
		if force != (said() == "") {
			t.Errorf("force %v: the container said %q", force, said())
		}
	}
}

// The worker of examples/worker, as a program of its own, on real runsc and dockerd.
func TestWorker(t *testing.T) {
	r := needReal(t)
	dir := shortDir(t)
	binary := filepath.Join(dir, "worker")
	flags := append([]string{"build"}, strings.Fields(os.Getenv("BERTH_GO_BUILD_FLAGS"))...) // as this test was built
	build := exec.Command("go", append(flags, "-o", binary, "./examples/worker")...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	socket := filepath.Join(dir, "s")
	lines := new(syncBuffer)
	cmd := exec.Command(binary, "-listen", "unix:"+socket, "-runsc", r.runsc, "-state", filepath.Join(dir, "state"),
		"-docker-timeout", "2m") // a busy machine is no failure
	cmd.Stderr = lines
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Where the test broke off, the worker removes its sandboxes before it ends.
		if cmd.ProcessState == nil && cmd.Process.Signal(syscall.SIGTERM) == nil {
			late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
			_ = cmd.Wait()
			late.Stop()
		}
	})
	eventually(t, "the worker serves", func() bool { return strings.Contains(lines.String(), "worker is serving") })
	w := httpWorker{t, overUnix(socket), lines}

	if status, out, _ := w.call("POST", "/sandboxes", map[string]any{"id": "bad", "docker": map[string]any{},
		"spec": map[string]any{"mounts": 7}}); status != http.StatusBadRequest || !strings.Contains(out, "mounts") {
		t.Error(status, out)
	}
	status, out, _ := w.call("POST", "/sandboxes", map[string]any{"id": "one", "spec": workerSpec(r),
		"docker": map[string]any{"data_root": "tmpfs", "snat": false}})
	if status != http.StatusCreated {
		t.Fatal(status, out, lines.String())
	}
	// What has nothing to do with Docker does not wait for it.
	if out, code := w.exec("one", "/bin/sh", "-c", "echo out; echo err >&2; exit 4"); code != "4" ||
		!strings.Contains(out, "out\n") || !strings.Contains(out, "err\n") {
		t.Errorf("%q %q", out, code)
	}
	if status, out, _ := w.call("GET", "/sandboxes/one/docker", nil); status != http.StatusOK || !strings.Contains(out, `"state":"ready"`) {
		t.Fatal(status, out, lines.String())
	}
	if out, code := w.exec("one", "docker", "load", "-i", "/image.tar"); code != "0" {
		t.Fatal(out, code)
	}
	if out, code := w.exec("one", "docker", "run", "--rm", r.imageName, "echo", "from a nested container"); code != "0" ||
		!strings.Contains(out, "from a nested container\n") {
		t.Error(out, code, lines.String())
	}
	// A dockerd that dies is started anew.
	if _, code := w.exec("one", "/bin/sh", "-c", "kill -9 $(cat /var/run/docker.pid)"); code != "0" {
		t.Error("dockerd could not be killed")
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(lines.String())
		}
	})
	eventually(t, "dockerd is started anew", func() bool {
		_, out, _ := w.call("GET", "/sandboxes/one/docker", nil)
		return strings.Contains(out, `"restarts":`) && !strings.Contains(out, `"restarts":0`) && strings.Contains(out, `"state":"ready"`)
	})
	if status, out, _ := w.call("DELETE", "/sandboxes/one", nil); status != http.StatusNoContent {
		t.Error(status, out)
	}
	if status, _, _ := w.call("GET", "/sandboxes/one", nil); status != http.StatusNotFound {
		t.Error(status)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err, lines.String())
	}
	list, err := exec.Command(r.runsc, "--root="+filepath.Join(dir, "state", "runsc"), "list", "-quiet").Output()
	if err != nil || len(bytes.TrimSpace(list)) != 0 {
		t.Errorf("a container is left: %s %v", list, err)
	}
	wantLines(t, lines.String(),
		"INF added docker capabilities for sandbox container",
		"INF added cgroup mount for docker-in-docker",
		"INF preparing to start docker daemon",
		"INF docker daemon process started - waiting for daemon to be ready pid=",
		"DBG socket exists, checking daemon with 'docker info'...",
		"INF docker daemon is ready and accepting commands retry_count=",
	)
}

// wantLines looks for lines that begin so, in this order.
func wantLines(t *testing.T, text string, wanted ...string) {
	t.Helper()
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() && len(wanted) != 0 {
		if strings.HasPrefix(lines.Text(), wanted[0]) {
			wanted = wanted[1:]
		}
	}
	if len(wanted) != 0 {
		t.Errorf("not in the log, or not in its place: %q\n%s", wanted[0], text)
	}
}

// needSandboxes is needReal for sandboxes of berth's own: with a loop, its log, and a place for them.
func needSandboxes(t *testing.T) (real, *Loop, *syncBuffer, Where) {
	t.Helper()
	r := needReal(t)
	if os.Getenv("BERTH_INIT") == "" {
		t.Fatal("this test needs BERTH_INIT, the path of berth-init")
	}
	lines := new(syncBuffer)
	l := newLoop(t, LoopOptions{Logger: slog.New(slog.NewTextHandler(lines, nil)), LogLevel: slog.LevelDebug})
	where := Where{Root: shortDir(t), Runsc: r.runsc, NetworkPool: "10.223.0.0/16"}
	return r, l, lines, where
}

// plainSandbox is one without Docker and network, which ends with the test.
func plainSandbox(t *testing.T) (*Sandbox, *syncBuffer) {
	t.Helper()
	r, l, lines, where := needSandboxes(t)
	s, err := l.CreateSandbox(minutes(t, 2), where, SandboxConfig{RootFS: r.rootfs, Network: "none"})
	if err != nil {
		t.Fatal(err, lines.String())
	}
	t.Cleanup(func() {
		_ = s.Terminate(minutes(t, 1))
		_ = s.Close()
	})
	return s, lines
}

// A sandbox of berth's own, with Docker, used by Docker's API from this host.
func TestManagedSandbox(t *testing.T) {
	r, l, lines, where := needSandboxes(t)
	var states sync.Map
	most := uint32(1234)
	s, err := l.CreateSandbox(minutes(t, 2), where, SandboxConfig{
		RootFS: r.rootfs, ID: "go-managed", EndsWithCreator: true, MaxConnections: &most, Annotations: map[string]string{"job": "7"},
		Publish: []string{"18091:80"}, Lifetime: time.Hour,
		Mounts: []Mount{{Source: r.image, Destination: "/image.tar", ReadOnly: true}},
		Docker: &SandboxDocker{Options: DaemonOptions{OnState: func(s DaemonStatus) { states.Store(s.State, s) }}},
	})
	if err != nil {
		t.Fatal(err, lines.String())
	}
	gone := false
	defer func() {
		if !gone {
			_ = s.Terminate(minutes(t, 2))
		}
		_ = s.Close()
	}()
	if err := s.WaitDocker(minutes(t, 1)); err != nil {
		t.Fatal(err, lines.String())
	}
	if ports, err := s.Ports(minutes(t, 1)); err != nil || !slices.Equal(ports.Published, []string{"127.0.0.1:18091:80/tcp"}) || len(ports.Containers) != 0 {
		t.Error(ports, err)
	}
	host, err := s.DockerHost()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := overUnix(strings.TrimPrefix(host, "unix://")).Get("http://docker/_ping")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Error(answer.Status)
	}
	status, err := s.DockerStatus(minutes(t, 1))
	if err != nil || status.State != DaemonReady || status.ReadyAfter <= 0 {
		t.Error(status, err)
	}
	if found, err := s.Diagnose(minutes(t, 1)); err != nil || len(found) != 0 {
		t.Error(found, err)
	}
	info, err := s.State(minutes(t, 1))
	if err != nil || !slices.Equal(info.Network.Ports, []string{"127.0.0.1:18091:80/tcp"}) {
		t.Error(info.Network, err)
	}
	eventually(t, "ready is told", func() bool { _, ok := states.Load(DaemonReady); return ok })
	if _, err := Output(minutes(t, 2), s, "docker", "load", "-i", "/image.tar"); err != nil {
		t.Fatal(err)
	}
	out, err := Output(minutes(t, 2), s, "docker", "run", "--rm", "-i", r.imageName, "echo", "nested")
	if err != nil || string(out) != "nested\n" {
		t.Error(string(out), err, lines.String())
	}
	// Cancelled, the command inside is gone.
	ctx, cancel := context.WithCancel(minutes(t, 2))
	p, err := s.Start(ctx, Command{Args: []string{"/bin/sleep", "31415"}})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := p.Wait(); !errors.Is(err, ErrCancelled) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if out, err := Output(minutes(t, 1), s, "/bin/sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"); err != nil || strings.Contains(string(out), "31415 ") && strings.Contains(string(out), "sleep 31415") {
		t.Error(string(out), err)
	}
	all, err := l.ListSandboxes(minutes(t, 1), where)
	if err != nil || len(all) != 1 || all[0].ID != "go-managed" || all[0].State != "running" || all[0].Annotations["job"] != "7" {
		t.Error(all, err)
	}
	other, err := l.AttachSandbox(minutes(t, 1), where, s.ID())
	if err != nil {
		t.Fatal(err)
	}
	if info, err := other.State(minutes(t, 1)); err != nil || info.State != "running" || info.Pid <= 0 || info.Network.MaxConnections != most || info.Network.RefusedConnections != 0 {
		t.Error(info, err)
	}
	_ = other.Close()
	if err := os.Mkdir(filepath.Join(where.Root, ".old-left"), 0o700); err != nil {
		t.Error(err)
	}
	garbage, err := l.CollectGarbage(minutes(t, 1), where)
	if err != nil || len(garbage.Removed) != 0 || len(garbage.Orphans) != 1 ||
		garbage.Orphans[0] != (Orphan{Kind: "directory", Name: ".old-left"}) {
		t.Error(garbage, err)
	}
	if err := s.Terminate(minutes(t, 2)); err != nil {
		t.Error(err)
	}
	gone = true
	if all, err := l.ListSandboxes(minutes(t, 1), where); err != nil || len(all) != 0 {
		t.Error(all, err)
	}
	if _, err := l.AttachSandbox(minutes(t, 1), where, "go-managed"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// Files of a sandbox, in memory and as streams.
func TestSandboxFiles(t *testing.T) {
	r, l, lines, where := needSandboxes(t)
	s, err := l.CreateSandbox(minutes(t, 2), where, SandboxConfig{RootFS: r.rootfs, Network: "none", EndsWithCreator: true})
	if err != nil {
		t.Fatal(err, lines.String())
	}
	defer func() {
		_ = s.Terminate(minutes(t, 2))
		_ = s.Close()
	}()
	ctx, files := minutes(t, 5), s.Files()
	data := []byte("a\x00b\xff")
	mode := uint32(0o640)
	if err := files.WriteFile(ctx, "/srv/d/f", data, WriteOptions{Mode: &mode, Parents: true}); err != nil {
		t.Fatal(err)
	}
	if got, err := files.ReadFile(ctx, "/srv/d/f"); err != nil || !bytes.Equal(got, data) {
		t.Error(got, err)
	}
	var part bytes.Buffer
	if err := files.Read(ctx, "/srv/d/f", 1, 2, &part); err != nil || part.String() != "\x00b" {
		t.Error(part.String(), err)
	}
	if info, err := files.Stat(ctx, "/srv/d/f"); err != nil || info.Mode() != 0o640 || info.Size() != 4 || info.Name() != "f" {
		t.Error(info, err)
	}
	if all, err := files.ReadDir(ctx, "/srv/d"); err != nil || len(all) != 1 || all[0].FileName != "f" {
		t.Error(all, err)
	}
	if _, err := files.ReadFile(ctx, "/none"); !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	if err := files.Write(ctx, "/srv/large", bytes.NewReader(large), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	var back bytes.Buffer
	if err := files.Read(ctx, "/srv/large", 0, -1, &back); err != nil || !bytes.Equal(back.Bytes(), large) {
		t.Error(back.Len(), err)
	}
	// A reader that fails, and one that has nothing when the context ends, leave what was there.
	broken := errors.New("broken")
	if err := files.Write(ctx, "/srv/d/f", io.MultiReader(bytes.NewReader(large), iotest.ErrReader(broken)), WriteOptions{}); !errors.Is(err, broken) {
		t.Error(err)
	}
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	silent, _, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := files.Write(short, "/srv/d/f", silent, WriteOptions{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	cancel()
	_ = silent.Close()
	if got, err := files.ReadFile(ctx, "/srv/d/f"); err != nil || !bytes.Equal(got, data) {
		t.Error(got, err)
	}
	if all, err := files.ReadDir(ctx, "/srv/d"); err != nil || len(all) != 1 {
		t.Error(all, err)
	}
	var tree bytes.Buffer
	if err := files.Pack(ctx, "/srv/d", ".", &tree); err != nil {
		t.Fatal(err)
	}
	if err := files.Unpack(ctx, "/copy/of/d", &tree); err != nil {
		t.Fatal(err)
	}
	if err := files.Rename(ctx, "/copy/of/d/f", "/copy/g"); err != nil {
		t.Error(err)
	}
	if got, err := files.ReadFile(ctx, "/copy/g"); err != nil || !bytes.Equal(got, data) {
		t.Error(got, err)
	}
	if err := files.Remove(ctx, "/copy"); !errors.Is(err, syscall.EISDIR) {
		t.Error(err)
	}
	if err := errors.Join(files.RemoveAll(ctx, "/copy"), files.MkdirAll(ctx, "/copy/again", 0o700)); err != nil {
		t.Error(err)
	}
	if err := s.Events(ctx, false, func(e SandboxEvent) { t.Error(e) }); err != nil {
		t.Error(err)
	}
}

// A creation that is cancelled leaves nothing.
func TestCancelledCreation(t *testing.T) {
	r := needReal(t)
	if os.Getenv("BERTH_INIT") == "" {
		t.Fatal("this test needs BERTH_INIT, the path of berth-init")
	}
	l := newLoop(t, LoopOptions{})
	where := Where{Root: shortDir(t), Runsc: r.runsc, NetworkPool: "10.223.0.0/16"}
	for i, after := range []time.Duration{5 * time.Millisecond, 60 * time.Millisecond, 200 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(context.Background(), after)
		s, err := l.CreateSandbox(ctx, where, SandboxConfig{RootFS: r.rootfs, ID: fmt.Sprintf("go-cancel-%d", i)})
		cancel()
		if err == nil { // it was faster
			if err := s.Terminate(minutes(t, 1)); err != nil {
				t.Error(err)
			}
			_ = s.Close()
		} else if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if all, err := l.ListSandboxes(minutes(t, 1), where); err != nil || len(all) != 0 {
			t.Error(all, err)
		}
	}
}

// dockerd started later, with functions to tell: those given with the start that succeeded, up to Close.
func TestStartDocker(t *testing.T) {
	r, l, lines, where := needSandboxes(t)
	told := func(into *[]DaemonState) *SandboxDocker {
		return &SandboxDocker{Options: DaemonOptions{
			ReadyTimeout: 2 * time.Minute, Output: io.Discard, LogAttrs: []slog.Attr{slog.String("box", "later")},
			// No lock: one at a time, and none after Close.
			OnState: func(s DaemonStatus) { *into = append(*into, s.State) },
		}}
	}
	var atFirst, refused, started, joined []DaemonState
	later := told(&atFirst)
	later.Later = true
	s, err := l.CreateSandbox(minutes(t, 2), where, SandboxConfig{
		RootFS: r.rootfs, ID: "go-later", EndsWithCreator: true, Docker: later,
	})
	if err != nil {
		t.Fatal(err, lines.String())
	}
	defer func() {
		_ = s.Close()
		again, err := l.AttachSandbox(minutes(t, 1), where, "go-later")
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Terminate(minutes(t, 2)); err != nil {
			t.Error(err)
		}
		_ = again.Close()
		if t.Failed() {
			t.Log(lines.String())
		}
	}()
	handlers := func() int {
		l.core.mu.Lock()
		defer l.core.mu.Unlock()
		return len(l.core.handlers)
	}
	before := handlers()
	bad := told(&refused)
	bad.Options.WrapRunc = "sometimes"
	for range 3 {
		if err := s.StartDocker(minutes(t, 1), bad); !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
	}
	if n := handlers(); n != before {
		t.Errorf("%d handlers after refused calls, %d before", n, before)
	}
	if err := s.StartDocker(minutes(t, 3), told(&started)); err != nil {
		t.Fatal(err)
	}
	before = handlers()
	for range 3 { // it is up
		if err := s.StartDocker(minutes(t, 1), told(&joined)); err != nil {
			t.Error(err)
		}
	}
	if n := handlers(); n != before {
		t.Errorf("%d handlers after the calls that found it up, %d before", n, before)
	}
	if status, err := s.DockerStatus(minutes(t, 1)); err != nil || status.State != DaemonReady {
		t.Error(status, err)
	}
	if _, err := Output(minutes(t, 1), s, "/bin/sh", "-c", "kill -9 $(cat /var/run/docker.pid)"); err != nil {
		t.Error(err)
	}
	eventually(t, "dockerd is started anew", func() bool {
		status, err := s.DockerStatus(minutes(t, 1))
		return err == nil && status.Restarts == 1 && status.State == DaemonReady
	})
	_ = s.Close()
	if len(atFirst) != 0 || len(refused) != 0 || len(started) < 2 || started[len(started)-1] != DaemonReady ||
		len(joined) < 2 || joined[len(joined)-1] != DaemonReady {
		t.Error(atFirst, refused, started, joined)
	}
	if !strings.Contains(lines.String(), "is ready and accepting commands\" retry_count=") ||
		!strings.Contains(lines.String(), "box=later") {
		t.Error(lines.String())
	}
}

// What a sandbox was made with counts for a start that says nothing; and after the loop's Close nothing is called, though
// the sandbox was terminated only, and its Output is slow.
func TestStartDockerAsItWasSaidBefore(t *testing.T) {
	r, l, _, where := needSandboxes(t)
	var closed atomic.Bool
	var lines, late atomic.Int32
	slow := writerFunc(func(p []byte) (int, error) {
		time.Sleep(2 * time.Millisecond)
		lines.Add(1)
		if closed.Load() {
			late.Add(1)
		}
		return len(p), nil
	})
	s, err := l.CreateSandbox(minutes(t, 2), where, SandboxConfig{
		RootFS: r.rootfs, ID: "go-said-before", EndsWithCreator: true,
		Docker: &SandboxDocker{Later: true, Options: DaemonOptions{ReadyTimeout: 2 * time.Minute, Output: slow}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.StartDocker(minutes(t, 3), nil); err != nil {
		t.Error(err)
	}
	if err := s.Terminate(minutes(t, 2)); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	closed.Store(true)
	time.Sleep(50 * time.Millisecond)
	if lines.Load() == 0 || late.Load() != 0 {
		t.Errorf("%d lines, %d of them after Close", lines.Load(), late.Load())
	}
	_ = s.Close()
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

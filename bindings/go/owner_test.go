// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestMain lets this program be the maker of a sandbox that is killed.
func TestMain(m *testing.M) {
	if root := os.Getenv("BERTH_TEST_OWNED_ROOT"); root != "" {
		makeOwned(root)
	}
	os.Exit(m.Run())
}

func makeOwned(root string) {
	l, err := NewLoop(LoopOptions{})
	if err == nil {
		_, err = l.CreateSandbox(context.Background(), Where{Root: root, Runsc: os.Getenv("BERTH_RUNSC"), NetworkPool: "10.223.0.0/16"},
			SandboxConfig{RootFS: os.Getenv("BERTH_TEST_ROOTFS"), ID: "owned", MemoryBytes: 1 << 30, EndsWithCreator: true})
	}
	fmt.Println("made", err)
	select {}
}

// A sandbox that ends with its creator is gone when that is killed, and nobody collects it.
func TestASandboxEndsWithItsKilledCreator(t *testing.T) {
	_, l, _, where := needSandboxes(t)
	maker := exec.Command(os.Args[0])
	maker.Env = append(os.Environ(), "BERTH_TEST_OWNED_ROOT="+where.Root)
	out, err := maker.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	maker.Stderr = os.Stderr
	if err := maker.Start(); err != nil {
		t.Fatal(err)
	}
	said, _ := bufio.NewReader(out).ReadString('\n')
	s, err := l.AttachSandbox(minutes(t, 1), where, "owned")
	if strings.TrimSpace(said) != "made <nil>" || err != nil {
		_ = maker.Process.Kill()
		t.Fatal(said, err)
	}
	defer s.Close()
	info, err := s.State(minutes(t, 1))
	if err != nil || info.State != "running" || info.ExitReason != "" {
		t.Error(info, err)
	}
	if err := maker.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = maker.Wait()
	eventually(t, "its process ends", func() bool {
		info, err := s.State(minutes(t, 1))
		return errors.Is(err, ErrNotFound) || err == nil && info.State == "stopped" && info.ExitReason == "ended"
	})
	// Where the berth command is not installed, its directory is left to this.
	if _, err := l.CollectGarbage(minutes(t, 1), where); err != nil {
		t.Error(err)
	}
	eventually(t, "nothing is left", func() bool {
		all, err := l.ListSandboxes(minutes(t, 1), where)
		return err == nil && len(all) == 0
	})
}

// A paused sandbox refuses commands in words, and goes on where it was.
func TestPauseAndResume(t *testing.T) {
	r, l, _, where := needSandboxes(t)
	s, err := l.CreateSandbox(minutes(t, 2), where, SandboxConfig{RootFS: r.rootfs, Network: "none"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	defer func() { _ = s.Terminate(minutes(t, 1)) }()
	if err := s.Pause(minutes(t, 1)); err != nil {
		t.Fatal(err)
	}
	if info, err := s.State(minutes(t, 1)); err != nil || info.State != "paused" || info.Runsc == "" {
		t.Error(info, err)
	}
	if _, err := Output(minutes(t, 1), s, "true"); !errors.Is(err, ErrSandboxNotRunning) || !strings.Contains(err.Error(), "is paused") {
		t.Error(err)
	}
	if err := s.Resume(minutes(t, 1)); err != nil {
		t.Fatal(err)
	}
	if out, err := Output(minutes(t, 1), s, "echo", "on"); err != nil || string(out) != "on\n" {
		t.Error(out, err)
	}
}

// It falls asleep on the disk where nobody uses it, or when it is told to, and every use brings it back.
func TestHibernate(t *testing.T) {
	r, l, _, where := needSandboxes(t)
	s, err := l.CreateSandbox(minutes(t, 2), where,
		SandboxConfig{RootFS: r.rootfs, Network: "none", IdleTimeout: time.Second, Hibernate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	defer func() { _ = s.Terminate(minutes(t, 1)) }()
	asleep := func() bool {
		info, err := s.State(minutes(t, 1))
		return err == nil && info.State == "hibernated"
	}
	for ctx := minutes(t, 1); !asleep(); time.Sleep(100 * time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatal("it does not fall asleep")
		}
	}
	if out, err := Output(minutes(t, 1), s, "echo", "on"); err != nil || string(out) != "on\n" {
		t.Error(out, err)
	}
	if err := s.Hibernate(minutes(t, 1)); err != nil || !asleep() {
		t.Error(err)
	}
	if err := s.Resume(minutes(t, 1)); err != nil || asleep() {
		t.Error(err)
	}
}

// The host's rules answer at once, and are changed while the sandbox runs.
func TestEgress(t *testing.T) {
	r, l, _, where := needSandboxes(t)
	if _, err := l.CreateSandbox(minutes(t, 1), where, SandboxConfig{RootFS: r.rootfs, Egress: []string{"localhost"}}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "has no dot") {
		t.Error(err)
	}
	s, err := l.CreateSandbox(minutes(t, 2), where, SandboxConfig{RootFS: r.rootfs, Egress: []string{"none"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	defer func() { _ = s.Terminate(minutes(t, 1)) }()
	info, err := s.State(minutes(t, 1))
	if err != nil || len(info.Network.Egress) != 1 || info.Network.Egress[0] != "none" {
		t.Fatal(info, err)
	}
	// Of the host, which no policy opens: where there is one, it is refused and counted in place of being dropped.
	knock := "exec 3<>/dev/tcp/" + info.Network.Gateway + "/9"
	var failed *Error
	if _, err := Output(minutes(t, 1), s, "bash", "-c", knock); !errors.As(err, &failed) || !strings.Contains(failed.Detail, "refused") {
		t.Error(err)
	}
	if now, err := s.Egress(minutes(t, 1)); err != nil || now.Refused == 0 || len(now.RefusedPlaces) == 0 {
		t.Error(now, err)
	}
	if err := s.SetEgress(minutes(t, 1), "192.0.2.0/24:443", "dns"); err != nil {
		t.Fatal(err)
	}
	if now, err := s.Egress(minutes(t, 1)); err != nil || strings.Join(now.Rules, " ") != "192.0.2.0/24:443/tcp dns" {
		t.Error(now, err)
	}
	if err := s.SetEgress(minutes(t, 1)); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

// The kernel's kill at the memory limit is told from any other end.
func TestOutOfMemoryIsTheExitReason(t *testing.T) {
	r, l, _, where := needSandboxes(t)
	s, err := l.CreateSandbox(minutes(t, 2), where, SandboxConfig{RootFS: r.rootfs, Network: "none", MemoryBytes: 192 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	defer func() { _ = s.Terminate(minutes(t, 1)) }()
	_, err = Output(minutes(t, 1), s, "tail", "/dev/zero")
	if !errors.Is(err, ErrSandboxNotRunning) || !strings.Contains(err.Error(), "killed at its memory limit of 192 MiB") {
		t.Error(err)
	}
	info, err := s.State(minutes(t, 1))
	if err != nil || info.ExitReason != "out_of_memory" || info.MemoryKills == 0 {
		t.Error(info, err)
	}
}

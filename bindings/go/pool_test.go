// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// Several take at once, and each gets one of its own; copies of a sandbox that runs.
func TestPoolAndClones(t *testing.T) {
	r, l, lines, where := needSandboxes(t)
	seed, err := l.CreateSandbox(minutes(t, 2), where, SandboxConfig{RootFS: r.rootfs, Network: "none"})
	if err != nil {
		t.Fatal(err, lines.String())
	}
	defer seed.Close()
	defer func() { _ = seed.Terminate(minutes(t, 2)) }()
	if _, err := Output(minutes(t, 1), seed, "sh", "-c", "echo kept > /root/file"); err != nil {
		t.Fatal(err)
	}
	copies, err := seed.Clone(minutes(t, 2), 2, TakeOptions{Annotations: map[string]string{"a": "b"}, IdleTimeout: time.Second})
	if err != nil || len(copies) != 2 || copies[0].ID() == copies[1].ID() {
		t.Fatal(copies, err, lines.String())
	}
	for _, one := range copies {
		out, err := Output(minutes(t, 1), one, "cat", "/root/file")
		info, _ := one.State(minutes(t, 1))
		if err != nil || string(out) != "kept\n" || info.Annotations["a"] != "b" {
			t.Error(string(out), err, info)
		}
		for deadline := time.Now().Add(time.Minute); info.State != "asleep"; info, _ = one.State(minutes(t, 1)) {
			if time.Now().After(deadline) {
				t.Fatal("it does not fall asleep: ", info.State)
			}
			time.Sleep(50 * time.Millisecond)
		}
		if err := one.Terminate(minutes(t, 1)); err != nil {
			t.Error(err)
		}
		one.Close()
	}

	if _, err := seed.Snapshot(minutes(t, 2), "warm", SnapshotOptions{}); err != nil {
		t.Fatal(err, lines.String())
	}
	defer func() { _ = RemoveSnapshot(where, "warm") }()
	if _, err := l.StartPool(minutes(t, 1), where, PoolConfig{Name: "web", Snapshot: "none"}); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	pool, err := l.StartPool(minutes(t, 2), where, PoolConfig{Name: "web", Snapshot: "warm", Size: 2, EndsWithCreator: true})
	if err != nil {
		t.Fatal(err, lines.String())
	}
	defer func() { _ = pool.Stop(minutes(t, 2)) }()
	if status, err := pool.Status(); err != nil || status.Ready != 2 || status.Made != 2 || status.Owner == 0 {
		t.Error(status, err)
	}
	var wait sync.WaitGroup
	taken := make([]*Sandbox, 3)
	for i := range taken {
		wait.Add(1)
		go func() {
			defer wait.Done()
			one, err := pool.Take(minutes(t, 2), TakeOptions{})
			if err != nil {
				t.Error(err, lines.String())
				return
			}
			taken[i] = one
		}()
	}
	wait.Wait()
	seen := map[string]bool{}
	for _, one := range taken {
		if one == nil {
			continue
		}
		if seen[one.ID()] {
			t.Error(one.ID(), "was handed out twice")
		}
		seen[one.ID()] = true
		if out, err := Output(minutes(t, 1), one, "hostname"); err != nil || strings.TrimSpace(string(out)) == "" {
			t.Error(string(out), err)
		}
		if err := one.Terminate(minutes(t, 1)); err != nil {
			t.Error(err)
		}
		one.Close()
	}
	status, err := pool.Status()
	if err != nil || status.HandedOut+status.Missed != 3 {
		t.Error(status, err)
	}
	if err := pool.Stop(minutes(t, 2)); err != nil {
		t.Error(err)
	}
	if err := pool.Stop(minutes(t, 2)); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if _, err := pool.Status(); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// Made once, and found again.
func TestPreload(t *testing.T) {
	r, l, lines, where := needSandboxes(t)
	config := SandboxConfig{RootFS: r.rootfs, Network: "none"}
	images := PreloadImages{Load: []string{os.Getenv("BERTH_TEST_IMAGE")}}
	first, err := l.Preload(minutes(t, 2), where, config, images)
	if err != nil {
		t.Fatal(err, lines.String())
	}
	defer func() { _ = RemoveSnapshot(where, first.Name) }()
	again, err := l.Preload(minutes(t, 1), where, config, images)
	if err != nil || again.Name != first.Name || again.CreatedMS != first.CreatedMS {
		t.Error(again, err)
	}
	s, err := l.CreateSandbox(minutes(t, 1), where, SandboxConfig{Snapshot: first.Name})
	if err != nil {
		t.Fatal(err, lines.String())
	}
	defer s.Close()
	defer func() { _ = s.Terminate(minutes(t, 1)) }()
	out, err := Output(minutes(t, 1), s, "docker", "images", "--format", "{{.Repository}}")
	if err != nil || !strings.Contains(string(out), "busybox") {
		t.Error(string(out), err)
	}
	if info, err := s.State(minutes(t, 1)); err != nil || info.Docker.State != "ready" {
		t.Error(info, err)
	}
	if _, err := l.Preload(minutes(t, 1), where, config, PreloadImages{}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if _, err := l.Preload(minutes(t, 1), where, config, PreloadImages{Load: []string{"/none"}}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

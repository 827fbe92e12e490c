// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

import (
	"errors"
	"strings"
	"testing"
)

// A sandbox with Docker is saved and goes on elsewhere; who waits for news of its Docker is not disturbed.
func TestSnapshot(t *testing.T) {
	r, l, lines, where := needSandboxes(t)
	s, err := l.CreateSandbox(minutes(t, 2), where, SandboxConfig{RootFS: r.rootfs, ID: "go-saved", Docker: &SandboxDocker{}})
	if err != nil {
		t.Fatal(err, lines.String())
	}
	defer s.Close()
	defer func() { _ = s.Terminate(minutes(t, 2)) }()
	if err := s.WaitDocker(minutes(t, 1)); err != nil {
		t.Fatal(err, lines.String())
	}
	if _, err := Output(minutes(t, 1), s, "docker", "network", "create", "front"); err != nil {
		t.Fatal(err)
	}
	saved, err := s.Snapshot(minutes(t, 2), "warm", SnapshotOptions{})
	if err != nil {
		t.Fatal(err, lines.String())
	}
	if saved.Name != "warm" || saved.Sandbox != "go-saved" || !saved.Docker || saved.Bytes == 0 || saved.Created().IsZero() {
		t.Errorf("%+v", saved)
	}
	if _, err := s.Snapshot(minutes(t, 1), "warm", SnapshotOptions{}); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	if err := s.WaitDocker(minutes(t, 1)); err != nil {
		t.Error("it does not go on:", err)
	}

	if _, err := l.CreateSandbox(minutes(t, 1), where, SandboxConfig{Snapshot: "warm", MemoryBytes: 1 << 30}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	again, err := l.CreateSandbox(minutes(t, 2), where, SandboxConfig{Snapshot: "warm", ID: "go-again"})
	if err != nil {
		t.Fatal(err, lines.String())
	}
	defer again.Close()
	defer func() { _ = again.Terminate(minutes(t, 2)) }()
	if err := again.WaitDocker(minutes(t, 1)); err != nil {
		t.Fatal(err, lines.String())
	}
	out, err := Output(minutes(t, 1), again, "docker", "network", "ls", "--format", "{{.Name}}")
	if err != nil || !strings.Contains(string(out), "front\n") {
		t.Error(string(out), err)
	}

	all, err := Snapshots(where)
	if err != nil || len(all) != 1 || all[0].Name != "warm" {
		t.Error(all, err)
	}
	if err := RemoveSnapshot(where, "warm"); err != nil {
		t.Error(err)
	}
	if err := RemoveSnapshot(where, "warm"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

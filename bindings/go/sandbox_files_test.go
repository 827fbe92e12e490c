// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestStartDetached(t *testing.T) {
	s, lines := plainSandbox(t)
	log := filepath.Join(t.TempDir(), "own.log")
	cmd := Command{Args: []string{"sh", "-c", "echo $WORD in $PWD; exec sleep 4723"}, Env: []string{"WORD=on"}, Dir: "/usr"}
	pid, err := s.StartDetached(minutes(t, 1), cmd, log)
	if err != nil || pid <= 1 {
		t.Fatal(pid, err, lines.String())
	}
	if _, err := Output(minutes(t, 1), s, "kill", "-0", strconv.Itoa(pid)); err != nil {
		t.Error(err)
	}
	text := func() string { b, _ := os.ReadFile(log); return string(b) }
	for end := time.Now().Add(30 * time.Second); text() == "" && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	if text() != "on in /usr\n" {
		t.Errorf("%q", text())
	}
	var told *Error
	_, err = s.StartDetached(minutes(t, 1), Command{Args: []string{"/no/such/program"}}, log)
	if !errors.As(err, &told) || told.Code != ErrProcessExited || !strings.Contains(told.Detail, "on in /usr") {
		t.Error(err)
	}
	for _, bad := range []Command{{}, {Args: []string{"true"}, Stdin: strings.NewReader("x")}} {
		if _, err := s.StartDetached(minutes(t, 1), bad, log); !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
	}
}

func TestCommit(t *testing.T) {
	s, lines := plainSandbox(t)
	if _, err := Output(minutes(t, 1), s, "touch", "/made-inside"); err != nil {
		t.Fatal(err)
	}
	what := CommitOptions{Layout: filepath.Join(t.TempDir(), "images"), Tag: "v1", Command: []string{"sleep", "1"}}
	missing := what
	missing.Umoci = "/no/such/umoci"
	if _, err := s.Commit(minutes(t, 1), missing); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if _, err := s.Commit(minutes(t, 1), CommitOptions{Tag: "v1"}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if _, err := os.Stat(what.Layout); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	made, err := s.Commit(minutes(t, 5), what)
	if err != nil {
		t.Fatal(err, lines.String())
	}
	index, err := os.ReadFile(filepath.Join(what.Layout, "index.json"))
	if err != nil || !bytes.Contains(index, []byte(made.Digest)) || !strings.HasPrefix(made.Digest, "sha256:") || made.Size < 1000 {
		t.Error(made, string(index), err)
	}
}

func TestExport(t *testing.T) {
	s, lines := plainSandbox(t)
	if _, err := Output(minutes(t, 1), s, "touch", "/made-inside"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "changes.tar")
	if err := s.Export(minutes(t, 1), file); err != nil {
		t.Fatal(err, lines.String())
	}
	if content, err := os.ReadFile(file); err != nil || !bytes.Contains(content, []byte("made-inside")) {
		t.Error(len(content), err)
	}
	if err := s.Export(minutes(t, 1), file); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
}

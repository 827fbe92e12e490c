// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func entriesOf(t *testing.T, directory string) []string {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestCarriedGuestIsPlacedOnceAndWhole(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "cache", "berth")
	program := []byte("#!/bin/sh\necho it runs\n" + strings.Repeat("#", 1<<20))
	var group sync.WaitGroup
	paths := make([]string, 16)
	for i := range paths {
		group.Add(1)
		go func() {
			defer group.Done()
			path, err := placeGuest(directory, program)
			if err != nil {
				t.Error(err)
			}
			paths[i] = path
		}()
	}
	group.Wait()
	for _, path := range paths {
		if path != paths[0] || path == "" {
			t.Fatalf("%q and %q", path, paths[0])
		}
	}
	if names := entriesOf(t, directory); len(names) != 1 {
		t.Fatalf("there are %q", names)
	}
	if said, err := exec.Command(paths[0]).Output(); err != nil || string(said) != "it runs\n" {
		t.Fatalf("%q, %v", said, err)
	}
	if other, err := placeGuest(directory, []byte("another")); err != nil || other == paths[0] {
		t.Fatalf("%q, %v", other, err)
	}
}

func TestCarriedGuestTakesThePlaceOfWhatIsNotIt(t *testing.T) {
	directory := t.TempDir()
	if err := os.Chmod(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	program := []byte("the program")
	path, err := placeGuest(directory, program)
	if err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func() error{
		"cut short":     func() error { return os.WriteFile(path, program[:3], 0o755) },
		"changed":       func() error { return os.WriteFile(path, []byte("the pr0gram"), 0o755) },
		"not runnable":  func() error { return os.Chmod(path, 0o644) },
		"open to all":   func() error { return os.Chmod(path, 0o777) },
		"a link":        func() error { os.Remove(path); return os.Symlink("/bin/sh", path) },
		"half written":  func() error { os.Remove(path); return os.WriteFile(path+".new", program[:3], 0o600) },
		"half, a link":  func() error { os.Remove(path); return os.Symlink("/nonexistent", path+".new") },
		"half, a thing": func() error { os.Remove(path); return os.Mkdir(path+".new", 0o755) },
	} {
		if err := spoil(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		again, err := placeGuest(directory, program)
		if err != nil || again != path {
			t.Fatalf("%s: %q, %v", what, again, err)
		}
		there, err := os.ReadFile(path)
		info, _ := os.Lstat(path)
		if err != nil || !bytes.Equal(there, program) || info.Mode() != 0o755 {
			t.Fatalf("%s: %q, %v, %v", what, there, info.Mode(), err)
		}
		if names := entriesOf(t, directory); len(names) != 1 {
			t.Fatalf("%s: there are %q", what, names)
		}
	}
}

func TestCarriedGuestIsNotPlacedWhereOthersWrite(t *testing.T) {
	directory := t.TempDir()
	for what, place := range map[string]string{"writable": directory, "a link": filepath.Join(directory, "link"), "a file": filepath.Join(directory, "file")} {
		var err error
		switch what {
		case "writable":
			err = os.Chmod(place, 0o777)
		case "a link":
			err = os.Symlink("/var", place)
		case "a file":
			err = os.WriteFile(place, nil, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		if path, err := placeGuest(place, []byte("the program")); err == nil || !strings.Contains(err.Error(), place) {
			t.Fatalf("%s: %q, %v", what, path, err)
		}
	}
}

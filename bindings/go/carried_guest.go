// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
)

// What bindings/go/package puts there goes into every program that imports this package.
//
//go:embed all:guest
var carried embed.FS

// guestPlace is where this process has put the guest program that it carries.
var guestPlace struct {
	sync.Mutex
	path string
}

// carriedGuest is the path of the guest program that this program carries, and puts there at the first call; "" where it
// carries none. Sandboxes and the watch of their root go on with it when this program has ended, so it stays there, under a
// name of its own for each content.
func carriedGuest() (string, error) {
	program, err := carried.ReadFile("guest/berth-init-" + runtime.GOARCH)
	if err != nil {
		return "", nil
	}
	guestPlace.Lock()
	defer guestPlace.Unlock()
	if guestPlace.path != "" {
		return guestPlace.path, nil
	}
	directory, err := guestDirectory()
	if err != nil {
		return "", err
	}
	path, err := placeGuest(directory, program)
	if err == nil {
		guestPlace.path = path
	}
	return path, err
}

// guestDirectory is one that nobody but this user, or root, can put something else into: the host runs what lies there.
func guestDirectory() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/berth", nil // HOME may be somebody else's
	}
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "berth"), err
}

func placeGuest(directory string, program []byte) (string, error) {
	path := filepath.Join(directory, fmt.Sprintf("berth-init-%x", sha256.Sum256(program)))
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return "", err
	}
	// A lock on the directory: of several programs one writes, and what a killed one has left half-written is written over.
	lock, err := os.Open(directory)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	info, err := os.Lstat(directory)
	if err != nil {
		return "", err
	}
	if !isOursAlone(info, fs.ModeDir) {
		return "", &fs.PathError{Op: "use", Path: directory, Err: fmt.Errorf("it is not a directory that only this user can write to")}
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", &fs.PathError{Op: "lock", Path: directory, Err: err}
	}
	if info, err := os.Lstat(path); err == nil && isOursAlone(info, 0) && info.Mode().Perm()&0o111 != 0 {
		if there, err := os.ReadFile(path); err == nil && bytes.Equal(there, program) {
			return path, nil
		}
	}
	half := path + ".new"
	if err := os.RemoveAll(half); err != nil {
		return "", err
	}
	if err := os.WriteFile(half, program, 0o755); err != nil {
		os.Remove(half)
		return "", err
	}
	// Whatever the umask is: programs inside run it too.
	err = os.Chmod(half, 0o755)
	if err == nil {
		err = os.Rename(half, path)
	}
	if err != nil {
		os.Remove(half)
		return "", err
	}
	return path, nil
}

// isOursAlone tells whether a file is of that type, belongs to this user, and can be written by nobody else.
func isOursAlone(info fs.FileInfo, kind fs.FileMode) bool {
	status, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode().Type() == kind && int(status.Uid) == os.Geteuid() && info.Mode().Perm()&0o022 == 0
}

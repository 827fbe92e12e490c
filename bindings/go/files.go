// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"time"
)

// Files are those of a sandbox, read and written by its guest as root: nothing is needed of its image. Paths are absolute, or
// below the guest's own directory, most often /. Errors carry the errno inside, as far as the sandbox tells the truth:
// errors.Is(err, fs.ErrNotExist). Where the guest does not answer, each of these fails. What ctx cuts short leaves nothing
// half-written inside. Safe for several goroutines.
type Files struct{ s *Sandbox }

// Files gives access to the sandbox's files.
func (s *Sandbox) Files() Files { return Files{s} }

// FileInfo is what the sandbox says of a file: its claim.
type FileInfo struct {
	FileName string // of a directory's entry one component of a path
	UnixMode uint32 // as st_mode
	Length   int64
	UID, GID uint32
	Modified time.Time
	Target   string // of a symbolic link
}

var _ fs.FileInfo = FileInfo{}

func (i FileInfo) Name() string       { return i.FileName }
func (i FileInfo) Size() int64        { return i.Length }
func (i FileInfo) ModTime() time.Time { return i.Modified }
func (i FileInfo) IsDir() bool        { return i.UnixMode&0o170000 == 0o040000 }
func (i FileInfo) Sys() any           { return nil }

// Mode has kind and permissions.
func (i FileInfo) Mode() fs.FileMode {
	mode := fs.FileMode(i.UnixMode & 0o777)
	for bit, is := range map[uint32]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if i.UnixMode&bit != 0 {
			mode |= is
		}
	}
	switch i.UnixMode & 0o170000 {
	case 0o100000:
	case 0o040000:
		mode |= fs.ModeDir
	case 0o120000:
		mode |= fs.ModeSymlink
	case 0o010000:
		mode |= fs.ModeNamedPipe
	case 0o140000:
		mode |= fs.ModeSocket
	case 0o020000:
		mode |= fs.ModeDevice | fs.ModeCharDevice
	case 0o060000:
		mode |= fs.ModeDevice
	default:
		mode |= fs.ModeIrregular
	}
	return mode
}

// UnmarshalJSON reads the library's form.
func (i *FileInfo) UnmarshalJSON(b []byte) error {
	var in struct {
		Name, Target string
		NameBytes    string `json:"name_base64"`
		TargetBytes  string `json:"target_base64"`
		Mode         uint32
		Size         uint64
		UID, GID     uint32
		MTime        int64
		MTimeNS      int64 `json:"mtime_ns"`
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	for encoded, to := range map[string]*string{in.NameBytes: &in.Name, in.TargetBytes: &in.Target} {
		if encoded == "" {
			continue
		}
		plain, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return err
		}
		*to = string(plain)
	}
	*i = FileInfo{in.Name, in.Mode, int64(in.Size), in.UID, in.GID, time.Unix(in.MTime, in.MTimeNS), in.Target}
	return nil
}

// ReadFile gives a file's content, of at most 1 GiB.
func (f Files) ReadFile(ctx context.Context, name string) ([]byte, error) {
	ev, err := f.s.do(ctx, "read file", func(o opSettings) (uint64, error) { return filesRead(f.s.h, name, "", -1, o) })
	return ev.payload, err
}

// Read copies a file's content to w: length bytes from offset on, or with a negative length all that is left. w may be slow.
func (f Files) Read(ctx context.Context, name string, offset, length int64, w io.Writer) error {
	const what = "read file"
	options := set{}
	put(options, "offset", offset)
	if length >= 0 {
		options["length"] = length
	}
	text, err := encode(what, options)
	if err != nil {
		return err
	}
	return f.out(ctx, what, w, func(fd int, o opSettings) (uint64, error) {
		return filesRead(f.s.h, name, text, fd, o)
	})
}

// WriteOptions are those of WriteFile and Write. The zero value: the mode of the file that is replaced, or 0644.
type WriteOptions struct {
	Mode    *uint32 // permissions
	Parents bool    // the directories above are made
}

func (w WriteOptions) text(op string) (string, error) {
	options := set{}
	putPointer(options, "mode", w.Mode)
	put(options, "parents", w.Parents)
	return encode(op, options)
}

// WriteFile replaces a file's content, or makes the file. It is there whole, or as it was, with its owner; what is no regular
// file, or cannot be replaced, is written in place.
func (f Files) WriteFile(ctx context.Context, name string, data []byte, options WriteOptions) error {
	const what = "write file"
	text, err := options.text(what)
	if err != nil {
		return err
	}
	_, err = f.s.do(ctx, what, func(o opSettings) (uint64, error) { return filesWrite(f.s.h, name, text, data, -1, o) })
	return err
}

// Write is WriteFile of all that r has.
func (f Files) Write(ctx context.Context, name string, r io.Reader, options WriteOptions) error {
	const what = "write file"
	text, err := options.text(what)
	if err != nil {
		return err
	}
	return f.in(ctx, what, r, func(fd int, o opSettings) (uint64, error) {
		return filesWrite(f.s.h, name, text, nil, fd, o)
	})
}

// Stat is of what a symbolic link leads to, Lstat of the link.
func (f Files) Stat(ctx context.Context, name string) (FileInfo, error) { return f.stat(ctx, name, 1) }

// Lstat is of a symbolic link itself.
func (f Files) Lstat(ctx context.Context, name string) (FileInfo, error) { return f.stat(ctx, name, 0) }

func (f Files) stat(ctx context.Context, name string, follow int) (FileInfo, error) {
	var info FileInfo
	ev, err := f.s.do(ctx, "stat file", func(o opSettings) (uint64, error) { return filesStat(f.s.h, name, follow, o) })
	if err != nil {
		return info, err
	}
	err = json.Unmarshal(ev.payload, &info)
	info.FileName = path.Base(name)
	return info, err
}

// ReadDir lists a directory, sorted by name: each name is one component of a path, whatever the sandbox says. At most 1000000
// entries.
func (f Files) ReadDir(ctx context.Context, name string) ([]FileInfo, error) {
	var all []FileInfo
	ev, err := f.s.do(ctx, "list directory", func(o opSettings) (uint64, error) { return filesList(f.s.h, name, 0, o) })
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(ev.payload, &all)
}

// Remove removes what is no directory.
func (f Files) Remove(ctx context.Context, name string) error { return f.remove(ctx, name, 0) }

// RemoveAll removes a directory with all that is in it, or what else is there.
func (f Files) RemoveAll(ctx context.Context, name string) error { return f.remove(ctx, name, 1) }

func (f Files) remove(ctx context.Context, name string, recursive int) error {
	_, err := f.s.do(ctx, "remove file", func(o opSettings) (uint64, error) {
		return filesRemove(f.s.h, name, recursive, o)
	})
	return err
}

// MkdirAll makes a directory, with those above; one that is there is no error.
func (f Files) MkdirAll(ctx context.Context, name string, mode uint32) error {
	const what = "make directory"
	text, err := encode(what, set{"mode": mode, "parents": true})
	if err != nil {
		return err
	}
	_, err = f.s.do(ctx, what, func(o opSettings) (uint64, error) { return filesMakeDirectory(f.s.h, name, text, o) })
	return err
}

// Rename puts a file or directory in place of what is at to.
func (f Files) Rename(ctx context.Context, from, to string) error {
	_, err := f.s.do(ctx, "rename file", func(o opSettings) (uint64, error) { return filesRename(f.s.h, from, to, o) })
	return err
}

// Pack writes a file or a tree to w as a tar. base: what the names in it begin with, "" for the last component of name, "." for
// what is in the directory alone.
func (f Files) Pack(ctx context.Context, name, base string, w io.Writer) error {
	const what = "pack files"
	options := set{}
	put(options, "name", base)
	text, err := encode(what, options)
	if err != nil {
		return err
	}
	return f.out(ctx, what, w, func(fd int, o opSettings) (uint64, error) {
		return filesPack(f.s.h, name, text, fd, o)
	})
}

// Unpack unpacks the tar r into the directory name, which is made, with those above, as a whole or not at all where it is not
// there. Entries that lead out of it are refused: errors.Is(err, ErrPermission).
func (f Files) Unpack(ctx context.Context, name string, r io.Reader) error {
	return f.in(ctx, "unpack files", r, func(fd int, o opSettings) (uint64, error) {
		return filesUnpack(f.s.h, name, 1, fd, o)
	})
}

// out has an operation write into a pipe, and copies from that to w.
func (f Files) out(ctx context.Context, name string, w io.Writer, start func(int, opSettings) (uint64, error)) error {
	from, to, err := os.Pipe()
	if err != nil {
		return err
	}
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(w, from)
		_ = from.Close() // a w that takes no more ends the operation
		copied <- err
	}()
	_, err = f.s.do(ctx, name, func(o opSettings) (uint64, error) { return withFile(to, o, start) })
	_ = to.Close()
	if failed := <-copied; failed != nil {
		return failed
	}
	return err
}

// in has an operation read from a pipe, and copies from r into that. An r that fails cancels the operation.
func (f Files) in(ctx context.Context, name string, r io.Reader, start func(int, opSettings) (uint64, error)) error {
	from, to, err := os.Pipe()
	if err != nil {
		return err
	}
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(to, r)
		if err != nil {
			cancel()
			<-within.Done()
		}
		copied <- err
	}()
	done := make(chan error, 1)
	go func() {
		_, err := f.s.do(within, name, func(o opSettings) (uint64, error) { return withFile(from, o, start) })
		_ = from.Close()
		done <- err
	}()
	var failed error
	select {
	case failed = <-copied:
		if failed == nil {
			_ = to.Close()
		}
		err = <-done
		_ = to.Close()
	case err = <-done: // r may never give anything more: nobody waits for it
		_ = to.Close()
		return err
	}
	if failed != nil {
		return failed
	}
	return err
}

// withFile starts an operation with a descriptor of a file, which the library duplicates.
func withFile(file *os.File, o opSettings, start func(int, opSettings) (uint64, error)) (op uint64, err error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return 0, err
	}
	failed := raw.Control(func(fd uintptr) { op, err = start(int(fd), o) })
	if failed != nil {
		return 0, failed
	}
	return op, err
}

// SandboxEvent is what happened in a sandbox, as its guest saw it.
type SandboxEvent struct {
	// Event is container_out_of_memory (over its memory limit, killed), docker_ready, docker_ended (by itself, and is started
	// again), docker_failed or docker_stopped.
	Event     string
	Time      time.Time // by the sandbox's clock
	Container string    // its id in Docker, where it is about one
	Message   string
}

// UnmarshalJSON reads the library's form.
func (e *SandboxEvent) UnmarshalJSON(b []byte) error {
	var in struct {
		Event, Container, Message string
		AtMS                      int64 `json:"at_ms"`
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*e = SandboxEvent{in.Event, time.UnixMilli(in.AtMS), in.Container, in.Message}
	return nil
}

type eventTaker struct {
	done waiter
	tell func(SandboxEvent)
}

func (t *eventTaker) handle(ev event) {
	if ev.kind == eventDone {
		t.done.handle(ev)
		return
	}
	var said SandboxEvent
	if ev.kind == eventSandbox && json.Unmarshal(ev.payload, &said) == nil {
		t.tell(said)
	}
}

// Events gives what happened in the sandbox so far, at most the last 64, to tell, one call at a time; with follow it goes on with
// what comes until ctx ends or the sandbox does. tell must not wait, nor call into this loop. A sandbox without Docker has no
// events.
func (s *Sandbox) Events(ctx context.Context, follow bool, tell func(SandboxEvent)) error {
	const name = "sandbox events"
	if ctx.Err() != nil {
		return notBegun(ctx, name)
	}
	c := s.loop.core
	taker := &eventTaker{make(waiter, 1), tell}
	key, err := c.register(taker)
	if err != nil {
		return named(name, err)
	}
	on := 0
	if follow {
		on = 1
	}
	op, err := sandboxEvents(s.h, on, settings(ctx, key))
	if err != nil {
		c.unregister(key)
		return named(name, err)
	}
	stop := c.cancelWith(ctx, op)
	ev := <-taker.done
	stop()
	c.unregister(key)
	runtime.KeepAlive(s)
	return withContext(ctx, named(name, ev.err))
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"berth.dev/go/berth"
)

// command is a command in a sandbox: a foreground `runsc exec` on this host, whose streams and exit code are its own.
type command struct {
	s       *sandbox
	exec    *exec.Cmd
	pidFile string
	status  berth.ExitStatus
	err     error
	done    chan struct{}
}

// Start makes the sandbox an Executor of berth's.
func (s *sandbox) Start(ctx context.Context, what berth.Command) (berth.Process, error) {
	pidFile := filepath.Join(s.dir, fmt.Sprintf("exec.%d.pid", s.commands.Add(1)))
	process, err := s.processFile(what)
	if err != nil {
		return nil, err
	}
	defer process.Close()
	args, err := berth.RunscArgs(s.w.runsc, "exec", berth.RunscOptions{
		Globals: s.globals(), ID: s.id, InternalPidFile: pidFile, Process: "/proc/self/fd/3",
	})
	if err != nil {
		return nil, err
	}
	c := &command{s: s, exec: exec.Command(args[0], args[1:]...), pidFile: pidFile, done: make(chan struct{})}
	c.exec.ExtraFiles = []*os.File{process} // 3
	c.exec.Stdout, c.exec.Stderr = what.Stdout, what.Stderr
	// What the command started itself may hold its output open after its end.
	c.exec.WaitDelay = time.Second
	var stdin io.WriteCloser
	if what.Stdin != nil {
		if stdin, err = c.exec.StdinPipe(); err != nil {
			return nil, err
		}
	}
	if err := c.exec.Start(); err != nil {
		return nil, err
	}
	if stdin != nil {
		go func() {
			_, _ = io.Copy(stdin, what.Stdin)
			_ = stdin.Close()
		}()
	}
	stop := context.AfterFunc(ctx, func() {
		_ = c.Signal(context.Background(), syscall.SIGKILL)
	})
	go func() {
		defer close(c.done)
		err := c.exec.Wait()
		stop()
		_ = os.Remove(pidFile)
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
			c.err = err
			return
		}
		how := c.exec.ProcessState.Sys().(syscall.WaitStatus)
		switch {
		case how.Signaled():
			c.status.Signal = how.Signal()
		case how.ExitStatus() > 128 && how.ExitStatus() <= 128+64: // runsc's word for a signal inside
			c.status.Signal = syscall.Signal(how.ExitStatus() - 128)
		default:
			c.status.Code = how.ExitStatus()
		}
	}()
	return c, nil
}

// Pid is known a moment after the start.
func (c *command) Pid() int {
	for range 200 {
		if b, err := os.ReadFile(c.pidFile); err == nil {
			if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
				return pid
			}
		}
		select {
		case <-c.done:
			return 0
		case <-time.After(5 * time.Millisecond):
		}
	}
	return 0
}

// Signal reaches the command itself: a SIGKILL to `runsc exec` would leave it running inside.
func (c *command) Signal(ctx context.Context, signal syscall.Signal) error {
	pid := c.Pid()
	if pid == 0 {
		return c.exec.Process.Signal(signal)
	}
	args, err := berth.RunscArgs(c.s.w.runsc, "kill", berth.RunscOptions{
		Globals: c.s.globals(), ID: c.s.id, Pid: pid, Signal: int(signal),
	})
	if err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("runsc kill: %w: %s", err, out)
	}
	return nil
}

func (c *command) Wait() (berth.ExitStatus, error) {
	<-c.done
	return c.status, c.err
}

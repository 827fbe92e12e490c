// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"bytes"
	"context"
	"io"
	"strings"
	"syscall"
)

// Command is what to run somewhere. Only Args is needed.
type Command struct {
	Args []string
	Env  []string // "NAME=value", beside what the place sets by itself
	Dir  string   // "": the place's own
	User string   // "uid" or "uid:gid"; "": the place's own
	// Stdin is read to its end; nil: none. Stdout and Stderr get the output as it comes; nil: dropped. A writer that is
	// slow makes the command wait.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Process is a command that was started.
type Process interface {
	// Pid is the process as seen where it runs, or 0 where that is not known.
	Pid() int
	// Signal sends a signal to the command itself.
	Signal(ctx context.Context, signal syscall.Signal) error
	// Wait returns when the command has ended and all of its output was written. A command that ended by a signal or with
	// another code than 0 is no error. It may be called more than once.
	Wait() (ExitStatus, error)
}

// Executor runs commands in a sandbox: the caller's own way of doing so, or a [*Place].
type Executor interface {
	// Start starts a command. ctx holds for the command's whole life: when it ends, the command is to be killed and Wait
	// to return. Calls may come at once, from any goroutine.
	Start(ctx context.Context, cmd Command) (Process, error)
}

// Run starts a command and waits for its end.
func Run(ctx context.Context, where Executor, cmd Command) (ExitStatus, error) {
	p, err := where.Start(ctx, cmd)
	if err != nil {
		return ExitStatus{}, err
	}
	return p.Wait()
}

// Output runs a command and gives its stdout, as much as it prints: not for commands that may print without end. When it does not succeed, the error has its stderr.
func Output(ctx context.Context, where Executor, args ...string) ([]byte, error) {
	var out, errs bytes.Buffer
	status, err := Run(ctx, where, Command{Args: args, Stdout: &out, Stderr: &errs})
	if err == nil && !status.Success() {
		err = &Error{Code: ErrProcessExited, Layer: "go", Op: "output", Message: strings.Join(args, " ") + ": " + status.String(),
			Detail: strings.TrimSpace(errs.String())}
	}
	return out.Bytes(), err
}

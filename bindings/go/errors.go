// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Code says what kind of error it is. It is an error itself: errors.Is(err, berth.ErrTimeout).
type Code int32

// Error is the code's name, such as "berth: daemon_not_ready".
func (c Code) Error() string {
	if name := codeNames[c]; name != "" {
		return "berth: " + name
	}
	return "berth: " + statusName(c)
}

// Error is what the library says of a failure.
type Error struct {
	Code    Code
	Errno   syscall.Errno // of the system call that failed, or 0
	Layer   string        // "spec", "runsc", …
	Op      string        // what was asked for, such as "sandbox create"
	Path    string        // a JSON pointer, file, option or ""
	Message string        // what happened, in one line
	Hint    string        // what to do, or ""
	Detail  string        // longer evidence, such as dockerd's last lines, or ""
}

// Error is one line, with detail below it where there is some.
func (e *Error) Error() string {
	out := "berth: "
	if e.Op != "" {
		out += e.Op + ": "
	}
	out += e.Message
	if e.Path != "" {
		out += " (" + e.Path + ")"
	}
	if e.Errno != 0 {
		out += ": " + e.Errno.Error()
	}
	if e.Hint != "" {
		out += "; " + e.Hint
	}
	if e.Detail != "" {
		out += "\n" + e.Detail
	}
	return out
}

// Unwrap gives the code, and the errno where there is one.
func (e *Error) Unwrap() []error {
	if e.Errno != 0 {
		return []error{e.Code, e.Errno}
	}
	return []error{e.Code}
}

// Is maps codes to Go's own errors: a timeout is context.DeadlineExceeded and os.ErrDeadlineExceeded, a cancellation
// context.Canceled, and so on for fs.ErrNotExist, fs.ErrExist, fs.ErrPermission and fs.ErrClosed.
func (e *Error) Is(target error) bool {
	switch e.Code {
	case ErrTimeout:
		return target == context.DeadlineExceeded || target == os.ErrDeadlineExceeded
	case ErrCancelled:
		return target == context.Canceled
	case ErrNotFound, ErrRunscNotFound, ErrDaemonNotPresent:
		return target == fs.ErrNotExist
	case ErrExists:
		return target == fs.ErrExist
	case ErrPermission:
		return target == fs.ErrPermission
	case ErrClosed:
		return target == fs.ErrClosed
	}
	return false
}

// Timeout tells net.Error's users and the like.
func (e *Error) Timeout() bool { return e.Code == ErrTimeout }

// inOwnWords puts this package's words for what is to be done in the place of the library's, which hold for every front end.
func inOwnWords(text string) string {
	const nameBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-" // of ids and of snapshots
	for _, w := range hintWords {
		before, _, hole := strings.Cut(w.says, "{}")
		head, rest := "", text
		for {
			left, right, found := strings.Cut(rest, before)
			if !found {
				break
			}
			name := right[:len(right)-len(strings.TrimLeft(right, nameBytes))]
			switch {
			case !hole:
				head += left + w.here
			case name == "":
				head += left + before
			default:
				head += left + strings.ReplaceAll(w.here, "{}", name)
				right = right[len(name):]
			}
			rest = right
		}
		text = head + rest
	}
	return text
}

// contextError is an operation's error after its context has ended.
type contextError struct {
	op    error
	cause []error
}

// Error tells also why, unless that is only that the context ended.
func (e *contextError) Error() string {
	line, detail, more := strings.Cut(e.op.Error(), "\n")
	for _, c := range e.cause {
		if c != context.Canceled && c != context.DeadlineExceeded {
			line += " (cause: " + c.Error() + ")"
		}
	}
	if more {
		line += "\n" + detail
	}
	return line
}

func (e *contextError) Unwrap() []error { return append([]error{e.op}, e.cause...) }

// withContext joins the context's error, and its cause, to an operation's.
func withContext(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	// The library may have seen the deadline pass a moment before the context's timer, which brings the cause.
	if deadline, ok := ctx.Deadline(); ok && ctx.Err() == nil && !time.Now().Before(deadline) {
		select {
		case <-ctx.Done():
		case <-time.After(time.Second): // a context of the caller's own making may have none
		}
	}
	if ctx.Err() == nil {
		return err
	}
	// The context's timer may cancel the operation a moment before the library sees the same deadline pass: a timeout, and
	// nothing that the caller gave up.
	if e, ok := err.(*Error); ok && e.Code == ErrCancelled && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		late := *e
		late.Code, late.Message = ErrTimeout, "the context's deadline passed"
		err = &late
	}
	cause := []error{ctx.Err()}
	if c := context.Cause(ctx); c != ctx.Err() {
		cause = append(cause, c)
	}
	return &contextError{err, cause}
}

// notBegun is the error of an operation whose context had ended before.
func notBegun(ctx context.Context, op string) error {
	code := ErrCancelled
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		code = ErrTimeout
	}
	return withContext(ctx, &Error{Code: code, Layer: "go", Op: op, Message: "the context had ended before it began"})
}

func invalid(op, path, message string) error {
	return &Error{Code: ErrInvalid, Layer: "go", Op: op, Path: path, Message: message}
}

func named(op string, err error) error {
	var e *Error
	if err != nil && errors.As(err, &e) && e.Op == "" {
		e.Op = op
	}
	return err
}

// ExitStatus is how a command ended. What an Executor gives beyond these ranges is an error of the command's; a Code of
// -1, by which [os.ProcessState.ExitCode] tells of a signal, counts as 255.
type ExitStatus struct {
	Code   int            // of its own exit: 0 to 255
	Signal syscall.Signal // that ended it: 1 to 64, or 0
}

// Success tells whether it exited by itself with 0.
func (s ExitStatus) Success() bool { return s == ExitStatus{} }

func (s ExitStatus) String() string {
	if s.Signal != 0 {
		return "signal: " + s.Signal.String()
	}
	return "exit status " + strconv.Itoa(s.Code)
}

// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

import (
	"errors"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// json.Marshal would put U+FFFD in the place of a byte that is not UTF-8, and another command would run than the
// caller's.
func TestStringsThatAreNotUTF8AreRefused(t *testing.T) {
	l := newLoop(t, LoopOptions{})
	host := newHost(t, l)
	const bad = "a\xffb"
	for path, call := range map[string]func() error{
		"/argv/1": func() error { _, err := Output(within(t), host, "/bin/echo", bad); return err },
		"/env/0": func() error {
			_, err := Run(within(t), host, Command{Args: []string{"/bin/true"}, Env: []string{bad}})
			return err
		},
		"/cwd": func() error {
			_, err := Run(within(t), host, Command{Args: []string{"/bin/true"}, Dir: bad})
			return err
		},
		"/probe/unix": func() error { _, err := l.Poll(within(t), Probe{Unix: bad}, PollOptions{}); return err },
		"/dockerd_env/0": func() error {
			_, err := NewSupervisor(l, host, &DaemonOptions{DockerdEnv: []string{bad}})
			return err
		},
		"/process/args/2": func() error {
			_, err := ApplyDocker(&specs.Spec{Process: &specs.Process{Args: []string{"", "ä", bad}}}, nil)
			return err
		},
		"/annotations/a~1\uFFFD~0": func() error {
			_, err := ApplyDocker(&specs.Spec{Annotations: map[string]string{"a/\xff~": "x"}}, nil)
			return err
		},
		"/data_root": func() error {
			_, err := ApplyDockerJSON([]byte(`{"ociVersion":"1.1.0"}`), &DockerRecipe{DataRoot: "/" + bad})
			return err
		},
		"/globals/root": func() error {
			_, err := RunscArgs(readRunsc(t, "20260701"), "state", RunscOptions{Globals: RunscGlobals{Root: bad}, ID: "a"})
			return err
		},
		"/help/run": func() error { _, err := RunscFromText("r", "", "", "", map[string]string{"run": bad}); return err },
		"/id":       func() error { _, err := l.Runsc(within(t), RunscPlace{ID: bad}); return err },
		"/mounts/0/source": func() error {
			_, err := l.CreateSandbox(within(t), Where{}, SandboxConfig{RootFS: "/x", Mounts: []Mount{{Source: bad}}})
			return err
		},
		"/root": func() error { _, err := l.ListSandboxes(within(t), Where{Root: bad}); return err },
	} {
		err := call()
		var e *Error
		if !errors.Is(err, ErrInvalid) || !errors.As(err, &e) || e.Path != path || e.Op == "" {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

var dockerCapabilities = strings.Fields("CAP_AUDIT_WRITE CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_MKNOD " +
	"CAP_NET_BIND_SERVICE CAP_NET_ADMIN CAP_NET_RAW CAP_SETFCAP CAP_SETGID CAP_SETPCAP CAP_SETUID CAP_SYS_ADMIN CAP_SYS_CHROOT " +
	"CAP_SYS_PTRACE")

func golden(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "tests", "golden", "spec", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestApplyDockerKeepsTheSpec(t *testing.T) {
	for _, name := range []string{"containerd-2k5.json", "containerd-14k.json", "runsc-spec.json", "berth-docker.json"} {
		var spec, same specs.Spec
		if err := json.Unmarshal(golden(t, name), &spec); err != nil {
			t.Fatal(err)
		}
		_ = json.Unmarshal(golden(t, name), &same)
		out, err := ApplyDocker(&spec, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(spec, same) {
			t.Errorf("%s: the argument was changed", name)
		}
		caps := out.Process.Capabilities
		for _, set := range [][]string{caps.Bounding, caps.Effective, caps.Permitted, caps.Inheritable} {
			for _, c := range dockerCapabilities {
				if n := count(set, c); n != 1 {
					t.Errorf("%s: %s is there %d times", name, c, n)
				}
			}
		}
		if !slices.ContainsFunc(out.Mounts, func(m specs.Mount) bool {
			return m.Destination == "/sys/fs/cgroup" && m.Type == "cgroup"
		}) {
			t.Errorf("%s: no cgroup mount", name)
		}
		// Whatever is not the recipe's is as it was.
		back := *out
		back.Mounts = slices.DeleteFunc(slices.Clone(out.Mounts), func(m specs.Mount) bool { return m.Destination == "/sys/fs/cgroup" })
		before := spec
		before.Mounts = slices.DeleteFunc(slices.Clone(spec.Mounts), func(m specs.Mount) bool { return m.Destination == "/sys/fs/cgroup" })
		p, q := *out.Process, *spec.Process
		p.Capabilities, q.Capabilities = nil, nil
		back.Process, before.Process = &p, &q
		if !sameJSON(t, back, before) {
			t.Errorf("%s: something was lost or added", name)
		}
		again, err := ApplyDocker(out, nil)
		if err != nil || !sameJSON(t, again, out) {
			t.Errorf("%s: the second time it changed something, or %v", name, err)
		}
	}
}

func count(set []string, what string) int {
	n := 0
	for _, s := range set {
		if s == what {
			n++
		}
	}
	return n
}

func sameJSON(t *testing.T, a, b any) bool {
	t.Helper()
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(x) == string(y)
}

func TestApplyDockerJSONKeepsWhatGoDoesNotKnow(t *testing.T) {
	in := `{"ociVersion":"1.1.0","vendor":{"n":18446744073709551616.50,"b":[1,2]},"process":{"args":["x"],"later":true}}`
	out, err := ApplyDockerJSON([]byte(in), &DockerRecipe{DataRoot: "tmpfs:2Gi", Cgroup: CgroupNone})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"vendor":{"n":18446744073709551616.50,"b":[1,2]}`, `"later":true`, `"/var/lib/docker"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s is not in %s", want, out)
		}
	}
	if strings.Contains(string(out), "cgroup") {
		t.Errorf("a cgroup mount was made: %s", out)
	}
	changes, err := DiffSpecs([]byte(in), out)
	if err != nil || len(changes) == 0 {
		t.Fatal(changes, err)
	}
	for _, c := range changes {
		if !strings.HasPrefix(c.Path, "/process/capabilities") && !strings.HasPrefix(c.Path, "/mounts") {
			t.Errorf("%s of %s", c.Op, c.Path)
		}
	}
}

func TestApplyDockerRaisesLimitsAndBringsTheGuest(t *testing.T) {
	in := `{"ociVersion":"1.1.0","process":{"args":["x"]}}`
	out, err := ApplyDockerJSON([]byte(in), &DockerRecipe{RaiseLimits: true, Guest: "/usr/libexec/berth/berth-init"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"CAP_SYS_RESOURCE"`, `"/usr/libexec/berth/berth-init"`, `"/.berth/init"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s is not in %s", want, out)
		}
	}
}

func TestApplyDockerLogs(t *testing.T) {
	var lines strings.Builder
	logger := slog.New(slog.NewTextHandler(&lines, nil))
	if _, err := ApplyDockerJSON([]byte(`{"ociVersion":"1.1.0","process":{"args":["sh"],"capabilities":{"bounding":["CAP_FLY"]}}}`), &DockerRecipe{Logger: logger}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"added docker capabilities for sandbox container", "added cgroup mount for docker-in-docker",
		"level=WARN msg=\"a capability that berth does not know", "/process/capabilities/bounding/0"} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("%q is not in %s", want, lines.String())
		}
	}
}

func TestApplyDockerRefusesASpecThatCannotRun(t *testing.T) {
	for want, spec := range map[string]*specs.Spec{
		"/process":      {},
		"/process/args": {Process: &specs.Process{Cwd: "/"}},
	} {
		_, err := ApplyDocker(spec, nil)
		var e *Error
		if !errors.Is(err, ErrInvalid) || !errors.As(err, &e) || e.Path != want || e.Hint == "" {
			t.Errorf("%v, wanted %s", err, want)
		}
	}
	_, err := ApplyDockerJSON([]byte(`{"process":null}`), nil)
	var e *Error
	if !errors.As(err, &e) || e.Path != "/process" {
		t.Error(err)
	}
}

func TestSpecErrors(t *testing.T) {
	for in, code := range map[string]Code{
		`{"ociVersion":"1","ociVersion":"2"}`: ErrSpecDuplicateKey,
		`{"process":`:                         ErrSpecSyntax,
		`{"linux":{"Seccomp":{}}}`:            ErrSpecKeyCase,
		`{"mounts":7}`:                        ErrSpecType,
		"{\"a\":\"\xff\"}":                    ErrSpecSyntax,
		``:                                    ErrSpecSyntax,
	} {
		_, err := ApplyDockerJSON([]byte(in), nil)
		var e *Error
		if !errors.Is(err, code) || !errors.As(err, &e) || e.Message == "" || e.Op != "apply docker" {
			t.Errorf("%s: %v, wanted %v", in, err, code)
		}
	}
	if _, err := ApplyDocker(nil, nil); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if _, err := ApplyDockerJSON([]byte(`{}`), &DockerRecipe{DataRoot: "not/absolute"}); err == nil {
		t.Error("a relative data root was taken")
	}
	if Code(-9999).Error() != "berth: unknown" || ErrDaemonNotReady.Error() != "berth: daemon_not_ready" {
		t.Error(Code(-9999), ErrDaemonNotReady)
	}
}

func TestMergeSpec(t *testing.T) {
	out, err := MergeSpec([]byte(`{"ociVersion":"1.1.0","hostname":"a","x":1}`), []byte(`{"hostname":"b","x":null}`))
	if err != nil || string(out) != `{"ociVersion":"1.1.0","hostname":"b"}` {
		t.Error(string(out), err)
	}
}

func TestCodesAreTheLibrarys(t *testing.T) {
	for code, name := range codeNames {
		if statusName(code) != name {
			t.Errorf("%d is %q here, %q in the library", code, name, statusName(code))
		}
	}
}

func readRunsc(t *testing.T, release string) *Runsc {
	t.Helper()
	dir := filepath.Join("..", "..", "tests", "golden", "runsc", "binaries", release)
	text := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	files, err := filepath.Glob(filepath.Join(dir, "help-*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	help := map[string]string{}
	for _, f := range files {
		verb := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), "help-"), ".txt")
		help[verb] = text(filepath.Base(f))
	}
	r, err := RunscFromText("/usr/bin/runsc", text("version.txt"), text("flags.txt"), text("help.txt"), help)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRunscKnowsWhatItMended(t *testing.T) {
	const said = "unable to remove container's cgroup: Failed to remove paths\n\xff\ncannot toggle freezer: cgroups not configured for container\n"
	for _, c := range []struct {
		binary *Runsc
		want   []string
	}{{nil, []string{"BERTH-CGROUP-REMOVE", "BERTH-FREEZER"}}, {readRunsc(t, "20260701"), []string{"BERTH-FREEZER"}}} {
		found, err := DiagnoseDocker(said, c.binary)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, d := range found {
			ids = append(ids, d.ID)
			if d.Cause == "" || d.Remedy == "" || d.Evidence == "" || d.Reference == "" {
				t.Errorf("%+v", d)
			}
		}
		slices.Sort(ids)
		if !slices.Equal(ids, c.want) {
			t.Error(ids)
		}
	}
	if found, err := DiagnoseDocker("all is well", nil); err != nil || len(found) != 0 {
		t.Error(found, err)
	}
}

func TestRunscArgs(t *testing.T) {
	r := readRunsc(t, "20260701")
	info, err := r.Info()
	if err != nil || info.Date != 20260701 || info.Path != "/usr/bin/runsc" {
		t.Error(info, err)
	}
	args, err := RunscArgs(r, "run", RunscOptions{
		Globals: RunscGlobals{Root: "/run/x", DebugLog: "/run/l/", NetRaw: true, PacketSocketWrite: true}, ID: "a", Bundle: "/b", Detach: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Join(args, " ")
	for _, want := range []string{"/usr/bin/runsc ", "net-raw", "allow-packet-socket-write", " run ", "bundle", "detach"} {
		if !strings.Contains(line, want) {
			t.Errorf("%q is not in %q", want, line)
		}
	}
	if has, err := r.Has("", "allow-packet-socket-write"); err != nil || !has {
		t.Error(has, err)
	}
	old := readRunsc(t, "20221219")
	if _, err := RunscArgs(old, "fscheckpoint", RunscOptions{Globals: RunscGlobals{Root: "/r", DebugLog: "/l/"}, ID: "a", ImagePath: "/i"}); !errors.Is(err, ErrRunscFlagUnsupported) {
		t.Error(err)
	}
	if _, err := RunscArgs(r, "state", RunscOptions{ID: "a", Detach: true}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if _, err := RunscArgs(nil, "state", RunscOptions{}); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

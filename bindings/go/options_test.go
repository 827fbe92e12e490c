// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// What the structures say reaches the library, by names that it knows.
func TestOptionsReachTheLibrary(t *testing.T) {
	t.Parallel()
	l := newLoop(t, LoopOptions{})
	host, err := l.Host()
	if err != nil {
		t.Fatal(err)
	}
	// With an answer that cannot be: the library has read all, and complains of this one.
	all := DaemonOptions{}
	fillAll(t, reflect.ValueOf(&all).Elem())
	all.DockerVersion, all.ContainerdVersion, all.RuncVersion = "28.5.2", "1.7.1", "1.3.0"
	all.WrapRunc = "sometimes"
	if _, err := NewSupervisor(l, host, &all); err == nil || !strings.Contains(err.Error(), "/wrap_runc") {
		t.Errorf("daemon: %v", err)
	}
	if _, err := NewSupervisor(l, host, &DaemonOptions{RestartFirstPause: time.Second, RestartMaxPause: time.Minute, RestartSettle: time.Hour}); err != nil {
		t.Errorf("restarts: %v", err)
	}
	config := SandboxConfig{}
	fillAll(t, reflect.ValueOf(&config).Elem())
	config.Snapshot, config.Egress = "", []string{"nowhere"}
	config.Docker = &SandboxDocker{Recipe: DockerRecipe{Cgroup: CgroupNone, RaiseLimits: true, Guest: "/x"}}
	if _, err := l.CreateSandbox(context.Background(), Where{}, config); err == nil || !strings.Contains(err.Error(), "/egress") {
		t.Errorf("sandbox: %v", err)
	}
	globals := RunscGlobals{}
	fillAll(t, reflect.ValueOf(&globals).Elem())
	globals.LogFormat, globals.HostUDS, globals.FileAccess, globals.Network = "json", "all", "shared", "wifi"
	if _, err := RunscArgs(readRunsc(t, "20260701"), "state", RunscOptions{Globals: globals, ID: "a"}); err == nil || !strings.Contains(err.Error(), "/globals/network") {
		t.Errorf("globals: %v", err)
	}
}

// Each verb takes all options that say so, and Go has them.
func TestRunscOptionsOfEachVerb(t *testing.T) {
	t.Parallel()
	r := readRunsc(t, "20260701")
	globals := RunscGlobals{Root: "/r", DebugLog: "/l/"}
	for verb, o := range map[string]RunscOptions{
		"exec":       {ID: "a", Command: []string{"true"}, AdditionalGIDs: []uint32{7}, PassFDs: []RunscPassFD{{Host: 0, Guest: 3}}},
		"wait":       {ID: "a", RootPid: 7},
		"checkpoint": {ID: "a", ImagePath: "/i", ExcludeCommittedZeroPages: true},
		"events":     {ID: "a", IntervalSeconds: 5},
		"list":       {SandboxesOnly: true},
		"run":        {ID: "a", Bundle: "/b", FSRestoreImagePath: "/f"},
		"tar":        {ID: "a", File: "/f"},
	} {
		o.Globals = globals
		args, err := RunscArgs(r, verb, o)
		if err != nil {
			t.Errorf("%s: %v", verb, err)
		}
		want := map[string]string{
			"exec": "--additional-gids=7", "wait": "--rootpid=7", "checkpoint": "--exclude-committed-zero-pages", "events": "--interval=5",
			"list": "--sandbox", "run": "--fs-restore-image-path=/f", "tar": "rootfs-upper",
		}[verb]
		if !slices.Contains(args, want) && !slices.Contains(args, want+"s") {
			t.Errorf("%s: %v", verb, args)
		}
	}
	// JSON: true was the library's default, so that nobody had the table.
	table, err := RunscArgs(r, "list", RunscOptions{Globals: globals, Table: true})
	if err != nil || slices.Contains(table, "--format=json") {
		t.Errorf("%v %v", table, err)
	}
	if lists, err := RunscArgs(r, "list", RunscOptions{Globals: globals}); err != nil || !slices.Contains(lists, "--format=json") {
		t.Errorf("%v %v", lists, err)
	}
}

// What is to be done is said in Go's words, and in none of the command's.
func TestHintsAreGos(t *testing.T) {
	t.Parallel()
	for _, w := range hintWords {
		for _, word := range []string{w.says, w.here} {
			if strings.Contains(word, "--") || strings.Contains(word, "berth r") || strings.Contains(word, "berth gc") {
				t.Errorf("%q speaks of the command", word)
			}
		}
		if got := inOwnWords("either " + strings.ReplaceAll(w.says, "{}", "web-1") + ", or not"); got != "either "+strings.ReplaceAll(w.here, "{}", "web-1")+", or not" {
			t.Errorf("%q", got)
		}
	}
	l := newLoop(t, LoopOptions{})
	_, err := l.AttachSandbox(within(t), Where{Root: t.TempDir()}, "none-such")
	var e *Error
	if !errors.As(err, &e) || e.Code != ErrNotFound || e.Hint != "ListSandboxes has those there are" {
		t.Errorf("%v", err)
	}
	found, err := DiagnoseDocker("Error: no space left on device", nil)
	if err != nil || len(found) == 0 || !strings.Contains(found[0].Remedy, "DataRoot") {
		t.Errorf("%v %v", found, err)
	}
}

// fillAll gives every field a value that is not its zero.
func fillAll(t *testing.T, v reflect.Value) {
	t.Helper()
	for i := range v.NumField() {
		f := v.Field(i)
		switch p := f.Addr().Interface().(type) {
		case *string:
			*p = "/x"
		case *Restart:
			*p = RestartOnFailure
		case *[]string:
			*p = []string{"A=b"}
		case *map[string]string:
			*p = map[string]string{"a": "b"}
		case *[]Mount:
			*p = []Mount{{Source: "/a", Destination: "/b", ReadOnly: true}}
		case *time.Duration:
			*p = time.Second
		case *bool:
			*p = true
		case **bool:
			*p = new(bool)
		case *int:
			*p = 1
		case *uint64:
			*p = 1 << 30
		case *float64:
			*p = 1
		case **int:
			*p = new(int)
		case **uint32:
			*p = new(uint32)
		}
	}
}

// SPDX-License-Identifier: Apache-2.0

// bench spec berth|encoding/json FILE ITERATIONS: nanoseconds for one spec operation (config.json in, Docker recipe,
// config.json out), the least of 5 rounds.
// bench call ITERATIONS: nanoseconds of one call into the library that does nothing.
// bench waits COUNT: prints threads and KiB of resident memory, before and while COUNT goroutines wait for readiness.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"berth.dev/go/berth"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

var capabilities = []string{
	"CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD",
	"CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID",
	"CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE",
}

func add(list []string) []string {
next:
	for _, c := range capabilities {
		for _, there := range list {
			if there == c {
				continue next
			}
		}
		list = append(list, c)
	}
	return list
}

// byGo is the same with encoding/json, which loses what specs-go does not know.
func byGo(text []byte) ([]byte, error) {
	var s specs.Spec
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	if s.Process == nil {
		s.Process = &specs.Process{}
	}
	if s.Process.Capabilities == nil {
		s.Process.Capabilities = &specs.LinuxCapabilities{}
	}
	c := s.Process.Capabilities
	c.Bounding, c.Effective, c.Permitted, c.Inheritable = add(c.Bounding), add(c.Effective), add(c.Permitted), add(c.Inheritable)
	mount := specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"rw"}}
	there := false
	for i := range s.Mounts {
		if s.Mounts[i].Destination == mount.Destination {
			s.Mounts[i], there = mount, true
		}
	}
	if !there {
		s.Mounts = append(s.Mounts, mount)
	}
	return json.Marshal(&s)
}

func byBerth(text []byte) ([]byte, error) { return berth.ApplyDockerJSON(text, nil) }

func least(iterations int, each func()) time.Duration {
	best := time.Duration(0)
	for round := range 5 {
		start := time.Now()
		for range iterations {
			each()
		}
		if d := time.Since(start); round == 0 || d < best {
			best = d
		}
	}
	return best
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	check(err)
	return n
}

// fromStatus is one number of /proc/self/status.
func fromStatus(name string) int {
	b, err := os.ReadFile("/proc/self/status")
	check(err)
	_, rest, _ := strings.Cut(string(b), "\n"+name+":")
	return number(strings.Fields(rest)[0])
}

func waits(count int) {
	loop, err := berth.NewLoop(berth.LoopOptions{})
	check(err)
	ctx, cancel := context.WithCancel(context.Background())
	wait := func(n int) *sync.WaitGroup {
		var all sync.WaitGroup
		for range n {
			all.Add(1)
			go func() {
				defer all.Done()
				_, _ = loop.Poll(ctx, berth.Probe{Unix: "/no/such/socket", Target: "/_ping"}, berth.PollOptions{})
			}()
		}
		return &all
	}
	one := wait(1)
	time.Sleep(500 * time.Millisecond)
	debug.FreeOSMemory()
	threads, memory := fromStatus("Threads"), fromStatus("VmRSS")
	rest := wait(count - 1)
	time.Sleep(3 * time.Second)
	runtime.GC()
	fmt.Println(threads, memory, fromStatus("Threads"), fromStatus("VmRSS"))
	cancel()
	one.Wait()
	rest.Wait()
	check(loop.Close())
}

func main() {
	args := os.Args[1:]
	switch {
	case len(args) == 4 && args[0] == "spec":
		operation := byBerth
		if args[1] == "encoding/json" {
			operation = byGo
		}
		text, err := os.ReadFile(args[2])
		check(err)
		n := number(args[3])
		fmt.Println(least(n, func() {
			out, err := operation(text)
			check(err)
			if len(out) < len(text)/2 {
				panic("too short")
			}
		}).Nanoseconds() / int64(n))
	case len(args) == 2 && args[0] == "call":
		n := number(args[1])
		fmt.Printf("%.1f\n", float64(least(n, func() { berth.Version() }).Nanoseconds())/float64(n))
	case len(args) == 2 && args[0] == "waits":
		waits(number(args[1]))
	default:
		fmt.Fprintln(os.Stderr, "usage: bench spec berth|encoding/json FILE ITERATIONS | call ITERATIONS | waits COUNT")
		os.Exit(2)
	}
}

// SPDX-License-Identifier: Apache-2.0

// bench WHAT FILE ITERATIONS: nanoseconds for one spec operation (decode, Docker recipe, encode), the least of 5 rounds.
// WHAT is "encoding/json" or "goccy".
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	goccy "github.com/goccy/go-json"
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

func recipe(s *specs.Spec) {
	if s.Process == nil {
		s.Process = &specs.Process{}
	}
	if s.Process.Capabilities == nil {
		s.Process.Capabilities = &specs.LinuxCapabilities{}
	}
	c := s.Process.Capabilities
	c.Bounding, c.Effective, c.Permitted, c.Inheritable = add(c.Bounding), add(c.Effective), add(c.Permitted), add(c.Inheritable)
	mount := specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"rw"}}
	for i := range s.Mounts {
		if s.Mounts[i].Destination == mount.Destination {
			s.Mounts[i] = mount
			return
		}
	}
	s.Mounts = append(s.Mounts, mount)
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: bench encoding/json|goccy FILE ITERATIONS")
		os.Exit(2)
	}
	text, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	iterations, err := strconv.Atoi(os.Args[3])
	if err != nil {
		panic(err)
	}
	decode, encode := json.Unmarshal, json.Marshal
	if os.Args[1] == "goccy" {
		decode = func(data []byte, v any) error { return goccy.Unmarshal(data, v) }
		encode = func(v any) ([]byte, error) { return goccy.Marshal(v) }
	}
	best := time.Duration(0)
	for round := 0; round < 5; round++ {
		start := time.Now()
		for i := 0; i < iterations; i++ {
			var s specs.Spec
			if err := decode(text, &s); err != nil {
				panic(err)
			}
			recipe(&s)
			if out, err := encode(&s); err != nil || len(out) == 0 {
				panic(err)
			}
		}
		if each := time.Since(start) / time.Duration(iterations); round == 0 || each < best {
			best = each
		}
	}
	fmt.Println(best.Nanoseconds())
}

// SPDX-License-Identifier: Apache-2.0

package specsgo

import (
	"path"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// operation says, on Go's structs, what an operation of spec_ops is meant to do, and which paths it may touch.
type operation struct {
	intent  func(*specs.Spec)
	touches []string
}

func process(s *specs.Spec) *specs.Process {
	if s.Process == nil {
		s.Process = &specs.Process{}
	}
	return s.Process
}

func root(s *specs.Spec) *specs.Root {
	if s.Root == nil {
		s.Root = &specs.Root{}
	}
	return s.Root
}

func linux(s *specs.Spec) *specs.Linux {
	if s.Linux == nil {
		s.Linux = &specs.Linux{}
	}
	return s.Linux
}

func resources(s *specs.Spec) *specs.LinuxResources {
	if linux(s).Resources == nil {
		s.Linux.Resources = &specs.LinuxResources{}
	}
	return s.Linux.Resources
}

func capabilities(s *specs.Spec) *specs.LinuxCapabilities {
	if process(s).Capabilities == nil {
		s.Process.Capabilities = &specs.LinuxCapabilities{}
	}
	return s.Process.Capabilities
}

func ptr[T any](v T) *T { return &v }

func keep[T any](list []T, keep func(T) bool) []T {
	var out []T
	for _, v := range list {
		if keep(v) {
			out = append(out, v)
		}
	}
	return out
}

func usual(c *specs.LinuxCapabilities) []*[]string {
	return []*[]string{&c.Bounding, &c.Effective, &c.Permitted, &c.Inheritable}
}

func addCapabilities(s *specs.Spec, names ...string) {
	for _, set := range usual(capabilities(s)) {
		seen := map[string]bool{}
		var out []string
		for _, name := range append(append([]string{}, *set...), names...) {
			// A name that Linux does not have is nobody's to count: it stays as it is.
			if !seen[name] || !strings.HasPrefix(name, "CAP_") {
				seen[name] = true
				out = append(out, name)
			}
		}
		*set = out
	}
}

// isPath: a bare name is the variable too, without a value.
func isPath(entry string) bool { return entry == "PATH" || strings.HasPrefix(entry, "PATH=") }

func beneath(destination, of string) bool {
	return destination != of && (of == "/" || strings.HasPrefix(destination, of+"/"))
}

// setMount is an independent telling of where a mount goes: after all above it, where the first at its place was or
// before the first beneath it; those beneath that followed the first one there still follow.
func setMount(s *specs.Spec, m specs.Mount) {
	first, behind, matches := -1, 0, 0
	for i, there := range s.Mounts {
		at := path.Clean(there.Destination)
		if at == m.Destination {
			matches++
			if first < 0 {
				first = i
			}
		}
		if beneath(m.Destination, at) {
			behind = i + 1
		}
	}
	place := len(s.Mounts)
	for i := behind; i < len(s.Mounts); i++ {
		at := path.Clean(s.Mounts[i].Destination)
		if at == m.Destination || (matches == 0 && beneath(at, m.Destination)) {
			place = i
			break
		}
	}
	var before, moved, after []specs.Mount
	for i, there := range s.Mounts {
		at := path.Clean(there.Destination)
		switch {
		case at == m.Destination:
		case i < place && first >= 0 && i > first && beneath(at, m.Destination):
			moved = append(moved, there)
		case i < place:
			before = append(before, there)
		default:
			after = append(after, there)
		}
	}
	s.Mounts = append(append(append(before, m), moved...), after...)
}

func docker(mounts ...specs.Mount) operation {
	return operation{func(s *specs.Spec) {
		if len(process(s).Args) == 0 {
			s.Process.Args = []string{"sh"}
		}
		addCapabilities(s, "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
			"CAP_MKNOD", "CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID",
			"CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE")
		for _, m := range mounts {
			setMount(s, m)
		}
	}, []string{"/process/capabilities/bounding", "/process/capabilities/effective", "/process/capabilities/permitted",
		"/process/capabilities/inheritable", "/mounts", "/process/args"}}
}

func setNamespace(s *specs.Spec, kind specs.LinuxNamespaceType, where string) {
	var out []specs.LinuxNamespace
	done := false
	for _, ns := range linux(s).Namespaces {
		if ns.Type != kind {
			out = append(out, ns)
		} else if !done {
			done = true
			out = append(out, specs.LinuxNamespace{Type: kind, Path: where})
		}
	}
	if !done {
		out = append(out, specs.LinuxNamespace{Type: kind, Path: where})
	}
	s.Linux.Namespaces = out
}

func seccomp(profile *specs.LinuxSeccomp) operation {
	return operation{func(s *specs.Spec) { linux(s).Seccomp = profile }, []string{"/linux/seccomp"}}
}

var (
	cgroup   = specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"rw"}}
	hostBind = specs.Mount{Destination: "/sys/fs/cgroup", Type: "bind", Source: "/sys/fs/cgroup", Options: []string{"rbind", "rw"}}
)

var operations = map[string]operation{
	"nothing":          {func(*specs.Spec) {}, nil},
	"docker":           docker(cgroup),
	"docker-host-bind": docker(hostBind),
	"docker-none":      docker(),
	"docker-tmpfs": docker(cgroup, specs.Mount{Destination: "/var/lib/docker", Type: "tmpfs", Source: "tmpfs",
		Options: []string{"rw", "mode=0710", "size=2147483648"}}),
	"docker-directory": docker(cgroup, specs.Mount{Destination: "/var/lib/docker", Type: "bind", Source: "/srv/docker",
		Options: []string{"rbind", "rw"}}),

	"args-set": {func(s *specs.Spec) { process(s).Args = []string{"/bin/echo", "ä \"quoted\"\n", ""} },
		[]string{"/process/args"}},
	"args-add":   {func(s *specs.Spec) { process(s).Args = append(s.Process.Args, "<last>&") }, []string{"/process/args"}},
	"args-clear": {func(s *specs.Spec) { clearIn(s.Process, func(p *specs.Process) { p.Args = nil }) }, []string{"/process/args"}},
	"cwd-set":    {func(s *specs.Spec) { process(s).Cwd = "/srv/a b" }, []string{"/process/cwd"}},
	"user-set": {func(s *specs.Spec) { process(s).User.UID, s.Process.User.GID = 4294967295, 1000 },
		[]string{"/process/user/uid", "/process/user/gid"}},
	"group-add": {func(s *specs.Spec) { process(s).User.AdditionalGids = append(s.Process.User.AdditionalGids, 27) },
		[]string{"/process/user/additionalGids"}},
	"group-remove": {func(s *specs.Spec) {
		clearIn(s.Process, func(p *specs.Process) {
			p.User.AdditionalGids = keep(p.User.AdditionalGids, func(g uint32) bool { return g != 10 })
		})
	}, []string{"/process/user/additionalGids"}},
	"groups-clear": {func(s *specs.Spec) { clearIn(s.Process, func(p *specs.Process) { p.User.AdditionalGids = nil }) },
		[]string{"/process/user/additionalGids"}},
	"terminal-set":          {func(s *specs.Spec) { process(s).Terminal = true }, []string{"/process/terminal"}},
	"no-new-privileges-set": {func(s *specs.Spec) { process(s).NoNewPrivileges = false }, []string{"/process/noNewPrivileges"}},
	"oom-score-adj-set":     {func(s *specs.Spec) { process(s).OOMScoreAdj = ptr(-500) }, []string{"/process/oomScoreAdj"}},
	"oom-score-adj-clear": {func(s *specs.Spec) { clearIn(s.Process, func(p *specs.Process) { p.OOMScoreAdj = nil }) },
		[]string{"/process/oomScoreAdj"}},
	"process-clear": {func(s *specs.Spec) { s.Process = nil }, []string{"/process"}},

	"capabilities-add": {func(s *specs.Spec) { addCapabilities(s, "CAP_SYS_ADMIN", "CAP_NET_ADMIN") },
		docker().touches[:4]},
	"capabilities-set": {func(s *specs.Spec) {
		c := capabilities(s)
		for _, set := range append(usual(c), &c.Ambient) {
			*set = []string{"CAP_SYS_ADMIN", "CAP_NET_ADMIN"}
		}
	}, append(docker().touches[:4:4], "/process/capabilities/ambient")},
	"capabilities-remove": {func(s *specs.Spec) {
		if s.Process != nil && s.Process.Capabilities != nil {
			c := s.Process.Capabilities
			for _, set := range append(usual(c), &c.Ambient) {
				*set = keep(*set, func(name string) bool { return name != "CAP_KILL" })
			}
		}
	}, append(docker().touches[:4:4], "/process/capabilities/ambient")},
	"capabilities-clear": {func(s *specs.Spec) { clearIn(s.Process, func(p *specs.Process) { p.Capabilities = nil }) },
		[]string{"/process/capabilities"}},
	"ambient-clear": {func(s *specs.Spec) {
		clearIn(s.Process, func(p *specs.Process) {
			clearIn(p.Capabilities, func(c *specs.LinuxCapabilities) { c.Ambient = nil })
		})
	}, []string{"/process/capabilities/ambient"}},

	"mount-set": {func(s *specs.Spec) {
		setMount(s, specs.Mount{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"rw", "nosuid"}})
	}, []string{"/mounts"}},
	"mount-add": {func(s *specs.Spec) {
		setMount(s, specs.Mount{Destination: "/new/place", Type: "bind", Source: "/srv/new", Options: []string{"rbind", "ro"}})
	}, []string{"/mounts"}},
	"mount-remove": {func(s *specs.Spec) {
		s.Mounts = keep(s.Mounts, func(m specs.Mount) bool { return path.Clean(m.Destination) != "/dev" })
	}, []string{"/mounts"}},
	"mounts-clear": {func(s *specs.Spec) { s.Mounts = nil }, []string{"/mounts"}},

	"namespace-set": {func(s *specs.Spec) { setNamespace(s, specs.NetworkNamespace, "/run/netns/x") }, []string{"/linux/namespaces"}},
	"namespace-new": {func(s *specs.Spec) { setNamespace(s, specs.NetworkNamespace, "") }, []string{"/linux/namespaces"}},
	"namespace-add": {func(s *specs.Spec) {
		for _, ns := range linux(s).Namespaces {
			if ns.Type == specs.CgroupNamespace {
				return
			}
		}
		setNamespace(s, specs.CgroupNamespace, "")
	}, []string{"/linux/namespaces"}},
	"namespace-remove": {func(s *specs.Spec) {
		clearIn(s.Linux, func(l *specs.Linux) {
			l.Namespaces = keep(l.Namespaces, func(ns specs.LinuxNamespace) bool { return ns.Type != specs.IPCNamespace })
		})
	}, []string{"/linux/namespaces"}},
	"namespaces-clear": {func(s *specs.Spec) { clearIn(s.Linux, func(l *specs.Linux) { l.Namespaces = nil }) },
		[]string{"/linux/namespaces"}},

	"cpus-set": {func(s *specs.Spec) {
		if resources(s).CPU == nil {
			s.Linux.Resources.CPU = &specs.LinuxCPU{}
		}
		s.Linux.Resources.CPU.Quota, s.Linux.Resources.CPU.Period = ptr(int64(250000)), ptr(uint64(100000))
	}, []string{"/linux/resources/cpu/quota", "/linux/resources/cpu/period"}},
	"cpu-clear": {func(s *specs.Spec) {
		withResources(s, func(r *specs.LinuxResources) {
			clearIn(r.CPU, func(c *specs.LinuxCPU) { c.Quota, c.Period = nil, nil })
		})
	}, []string{"/linux/resources/cpu/quota", "/linux/resources/cpu/period"}},
	"memory-set": {func(s *specs.Spec) {
		if resources(s).Memory == nil {
			s.Linux.Resources.Memory = &specs.LinuxMemory{}
		}
		s.Linux.Resources.Memory.Limit = ptr(int64(9007199254740993))
	}, []string{"/linux/resources/memory/limit"}},
	"memory-clear": {func(s *specs.Spec) {
		withResources(s, func(r *specs.LinuxResources) { clearIn(r.Memory, func(m *specs.LinuxMemory) { m.Limit = nil }) })
	}, []string{"/linux/resources/memory/limit"}},
	"pids-set": {func(s *specs.Spec) { resources(s).Pids = &specs.LinuxPids{Limit: ptr(int64(100))} },
		[]string{"/linux/resources/pids/limit"}},
	"unified-set": {func(s *specs.Spec) {
		if resources(s).Unified == nil {
			s.Linux.Resources.Unified = map[string]string{}
		}
		s.Linux.Resources.Unified["memory.high"] = "max"
	}, []string{"/linux/resources/unified/memory.high"}},
	"unified-remove": {func(s *specs.Spec) {
		withResources(s, func(r *specs.LinuxResources) { delete(r.Unified, "memory.high") })
	}, []string{"/linux/resources/unified/memory.high"}},
	"cgroups-path-set":   {func(s *specs.Spec) { linux(s).CgroupsPath = "/berth/x" }, []string{"/linux/cgroupsPath"}},
	"cgroups-path-clear": {func(s *specs.Spec) { clearIn(s.Linux, func(l *specs.Linux) { l.CgroupsPath = "" }) }, []string{"/linux/cgroupsPath"}},
	"resources-clear":    {func(s *specs.Spec) { clearIn(s.Linux, func(l *specs.Linux) { l.Resources = nil }) }, []string{"/linux/resources"}},

	"rlimit-set": {func(s *specs.Spec) {
		var out []specs.POSIXRlimit
		done := false
		for _, l := range append(process(s).Rlimits, specs.POSIXRlimit{Type: "RLIMIT_NOFILE"}) {
			if l.Type != "RLIMIT_NOFILE" {
				out = append(out, l)
			} else if !done {
				done = true
				out = append(out, specs.POSIXRlimit{Type: l.Type, Soft: 1, Hard: 18446744073709551615})
			}
		}
		s.Process.Rlimits = out
	}, []string{"/process/rlimits"}},
	"rlimit-add": {func(s *specs.Spec) {
		process(s).Rlimits = append(s.Process.Rlimits, specs.POSIXRlimit{Type: "RLIMIT_CORE"})
	}, []string{"/process/rlimits"}},
	"rlimit-remove": {func(s *specs.Spec) {
		clearIn(s.Process, func(p *specs.Process) {
			p.Rlimits = keep(p.Rlimits, func(l specs.POSIXRlimit) bool { return l.Type != "RLIMIT_NOFILE" })
		})
	}, []string{"/process/rlimits"}},
	"rlimits-clear": {func(s *specs.Spec) { clearIn(s.Process, func(p *specs.Process) { p.Rlimits = nil }) }, []string{"/process/rlimits"}},

	"env-set": {func(s *specs.Spec) {
		var out []string
		done := false
		for _, e := range append(process(s).Env, "PATH=") {
			if !isPath(e) {
				out = append(out, e)
			} else if !done {
				done = true
				out = append(out, "PATH=/bin=\\")
			}
		}
		s.Process.Env = out
	}, []string{"/process/env"}},
	"env-add": {func(s *specs.Spec) { process(s).Env = append(s.Process.Env, "NEW=\x01\x7f😀") }, []string{"/process/env"}},
	"env-remove": {func(s *specs.Spec) {
		clearIn(s.Process, func(p *specs.Process) {
			p.Env = keep(p.Env, func(e string) bool { return !isPath(e) })
		})
	}, []string{"/process/env"}},
	"env-clear": {func(s *specs.Spec) { clearIn(s.Process, func(p *specs.Process) { p.Env = nil }) }, []string{"/process/env"}},

	"annotation-set": {func(s *specs.Spec) {
		if s.Annotations == nil {
			s.Annotations = map[string]string{}
		}
		s.Annotations["dev.gvisor.x/~y"] = "v"
	}, []string{"/annotations/dev.gvisor.x~1~0y"}},
	"annotation-remove": {func(s *specs.Spec) { delete(s.Annotations, "a") }, []string{"/annotations/a"}},
	"annotations-clear": {func(s *specs.Spec) { s.Annotations = nil }, []string{"/annotations"}},

	"hostname-set":        {func(s *specs.Spec) { s.Hostname = "box" }, []string{"/hostname"}},
	"hostname-clear":      {func(s *specs.Spec) { s.Hostname = "" }, []string{"/hostname"}},
	"root-path-set":       {func(s *specs.Spec) { root(s).Path = "/srv/root" }, []string{"/root/path"}},
	"root-readonly-set":   {func(s *specs.Spec) { root(s).Readonly = true }, []string{"/root/readonly"}},
	"root-readonly-unset": {func(s *specs.Spec) { clearIn(s.Root, func(r *specs.Root) { r.Readonly = false }) }, []string{"/root/readonly"}},
	"root-clear":          {func(s *specs.Spec) { s.Root = nil }, []string{"/root"}},

	"seccomp-set": seccomp(&specs.LinuxSeccomp{DefaultAction: specs.ActErrno,
		Syscalls: []specs.LinuxSyscall{{Names: []string{"read"}, Action: specs.ActAllow}}}),
	"seccomp-set-add-remove": seccomp(&specs.LinuxSeccomp{DefaultAction: specs.ActErrno,
		Syscalls: []specs.LinuxSyscall{{Names: []string{"read"}, Action: specs.ActAllow}}}),
	"seccomp-clear": {func(s *specs.Spec) { clearIn(s.Linux, func(l *specs.Linux) { l.Seccomp = nil }) }, []string{"/linux/seccomp"}},
}

func clearIn[T any](section *T, change func(*T)) {
	if section != nil {
		change(section)
	}
}

func withResources(s *specs.Spec, change func(*specs.LinuxResources)) {
	if s.Linux != nil {
		clearIn(s.Linux.Resources, change)
	}
}

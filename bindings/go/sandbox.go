// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

func (w Where) text(op string) (string, error) {
	if w.Init == "" && os.Getenv("BERTH_INIT") == "" {
		program, err := carriedGuest()
		if err != nil {
			return "", &Error{Code: ErrIO, Layer: "go", Op: op, Message: "the berth-init that this program carries: " + err.Error(),
				Hint: "name a berth-init by Where.Init or BERTH_INIT"}
		}
		w.Init = program
	}
	return encodeOptions(op, &w)
}

// FindInit finds berth-init on this host, which DockerRecipe.Guest is to name in a sandbox of your own. Where the program
// carries one, it is put in /var/cache/berth (of another user than root, in the user's cache directory), and stays there.
func FindInit(where Where) (string, error) {
	const op = "find berth-init"
	text, err := where.text(op)
	if err != nil {
		return "", err
	}
	path, err := findInit(text)
	return path, named(op, err)
}

// SandboxDocker is Docker in a sandbox of berth's. The zero value is the default.
type SandboxDocker struct {
	// Of Recipe, DataRoot "" is a tmpfs here, and Logger is not used: the Loop has one.
	Recipe  DockerRecipe
	Options DaemonOptions
	// Later leaves dockerd unstarted: StartDocker starts it.
	Later bool
}

func (d *SandboxDocker) fill(s set) {
	if d == nil {
		return
	}
	recipe := d.Recipe
	recipe.RaiseLimits, recipe.Guest = false, "" // it has both
	recipe.fill(s)
	d.Options.fill(s)
	put(s, "data_root_path", d.Recipe.DataRootPath)
	if d.Later {
		s["start"] = false
	}
}

// SandboxInfo is what is known of a sandbox, in the one form that berth status --json has too.
type SandboxInfo struct {
	ID         string `json:"id"`
	State      string `json:"state"`       // creating, running, paused, asleep, hibernated, unresponsive, stopped, lost, damaged
	ExitReason string `json:"exit_reason"` // why it runs no more: ended, out_of_memory; "" while it runs
	// MemoryKills is how many programs the kernel has killed at the memory limit, also in a sandbox that goes on: where it grew
	// while a command ran that ended with 137, that is why.
	MemoryKills uint64            `json:"memory_kills"`
	Damage      string            `json:"damage"` // why its record cannot be read; "" for any other
	Created     time.Time         `json:"-"`      // zero for a damaged one
	RootFS      string            `json:"rootfs"`
	Hostname    string            `json:"hostname"`
	Network     NetworkInfo       `json:"network"`
	CPUs        float64           `json:"cpus"`
	MemoryBytes uint64            `json:"memory_bytes"`
	Pid         int               `json:"pid"` // of the sandbox's process on this host, 0 when that is gone
	Runsc       string            `json:"runsc"`
	Directory   string            `json:"directory"` // what it has on this host
	Shared      string            `json:"shared"`    // the directory on this host that is /run/berth inside
	Logs        string            `json:"logs"`
	Annotations map[string]string `json:"annotations"`
	Docker      DaemonStatus      `json:"docker"`
}

// NetworkInfo is how a sandbox is connected.
type NetworkInfo struct {
	Mode    string `json:"mode"`    // sandbox, none or path
	Path    string `json:"path"`    // the caller's namespace, for path
	Address string `json:"address"` // where this host reaches it, "" without network
	Gateway string `json:"gateway"`
	MTU     int    `json:"mtu"`
	// MaxConnections is the limit of its network; RefusedConnections how many flows have been dropped for it, as State tells.
	MaxConnections     uint32 `json:"max_connections"`
	RefusedConnections uint64 `json:"refused_connections"`
	// Egress is where it may begin connections to; RefusedEgress how many packets were refused for it, as State tells.
	Egress        []string `json:"egress"`
	RefusedEgress uint64   `json:"refused_egress"`
	// Ports are those of the host's that lead to it, as SandboxConfig.Publish has them.
	Ports []string `json:"ports"`
	// HostPorts are those of the host's own that it may reach, as SandboxConfig.HostPorts has them.
	HostPorts []string `json:"host_ports"`
}

// UnmarshalJSON reads the library's form.
func (i *SandboxInfo) UnmarshalJSON(b []byte) error {
	type plain SandboxInfo
	in := struct {
		*plain
		CreatedText string `json:"created"`
	}{plain: (*plain)(i)}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	if in.CreatedText == "" {
		i.Created = time.Time{}
		return nil
	}
	created, err := time.Parse(time.RFC3339, in.CreatedText)
	i.Created = created
	return err
}

// Sandbox is one of berth's own. It is an [Executor].
type Sandbox struct {
	loop  *Loop
	h     cSandbox
	where Where
	place *Place
	id    string
	watch *sandboxWatch
}

// make is what creating and attaching share.
func (l *Loop) makeSandbox(ctx context.Context, name string, where Where, docker *DaemonOptions,
	start func(opSettings) (cSandbox, uint64, error)) (*Sandbox, error) {
	if ctx.Err() != nil {
		return nil, notBegun(ctx, name)
	}
	c := l.core
	o := newObserver(l, docker)
	watch := &sandboxWatch{core: c, notes: o.notes}
	link, err := watch.newLink(o.options)
	if err != nil {
		return nil, named(name, err)
	}
	watch.links = []*sandboxLink{link}
	h, op, err := start(settings(ctx, link.key))
	if err != nil {
		watch.forget()
		return nil, named(name, err)
	}
	stop := c.cancelWith(ctx, op)
	ev := <-link.done
	stop()
	if ev.err == nil {
		s := &Sandbox{loop: l, where: where, h: h, watch: watch}
		if s.id, err = sandboxID(h); err == nil {
			x, failed := executorCreateSandbox(h)
			s.place, err = newPlace(l, x, failed)
		}
		if err == nil {
			runtime.AddCleanup(s, func(h cSandbox) { sandboxFree(h); watch.release() }, h)
			return s, nil
		}
	} else {
		err = ev.err
	}
	sandboxFree(h)
	watch.forget()
	watch.notes.close()
	return nil, withContext(ctx, named(name, err))
}

// CreateSandbox makes and starts a sandbox. Whatever fails, and when ctx ends, all that was made is removed again. With
// Docker, dockerd is started meanwhile: WaitDocker.
func (l *Loop) CreateSandbox(ctx context.Context, where Where, config SandboxConfig) (*Sandbox, error) {
	const name = "create sandbox"
	text, err := encodeOptions(name, &config)
	if err != nil {
		return nil, err
	}
	place, err := where.text(name)
	if err != nil {
		return nil, err
	}
	var docker *DaemonOptions
	if config.Docker != nil {
		docker = &config.Docker.Options
	}
	s, err := l.makeSandbox(ctx, name, where, docker, func(o opSettings) (cSandbox, uint64, error) {
		return sandboxCreate(l.core.h, place, text, o)
	})
	if err == nil && config.Docker != nil && config.Docker.Later {
		s.watch.remember(*config.Docker)
	}
	return s, err
}

// AttachSandbox finds a sandbox by its id, also one that another process made.
func (l *Loop) AttachSandbox(ctx context.Context, where Where, id string) (*Sandbox, error) {
	const name = "attach sandbox"
	place, err := where.text(name)
	if err != nil {
		return nil, err
	}
	return l.makeSandbox(ctx, name, where, nil, func(o opSettings) (cSandbox, uint64, error) {
		return sandboxAttach(l.core.h, place, id, o)
	})
}

// ListSandboxes gives all sandboxes, in order of creation.
func (l *Loop) ListSandboxes(ctx context.Context, where Where) ([]SandboxInfo, error) {
	const name = "list sandboxes"
	var all []SandboxInfo
	place, err := where.text(name)
	if err != nil {
		return nil, err
	}
	ev, err := l.do(ctx, name, func(o opSettings) (uint64, error) {
		return sandboxList(l.core.h, place, o)
	})
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(ev.payload, &all)
}

// Garbage is what CollectGarbage removed.
type Garbage struct {
	Removed             []string `json:"removed"`              // the ids of sandboxes
	Orphans             []Orphan `json:"orphans"`              // what belonged to no sandbox any more
	UnfinishedSnapshots int      `json:"unfinished_snapshots"` // how many were broken off
	Pools               []string `json:"pools"`                // that have ended with their owners
}

// Orphan is a resource that no record spoke of any more, proved to be of berth's root directory.
type Orphan struct {
	Kind string `json:"kind"` // "process", "network", "cgroup" or "directory"
	Name string `json:"name"` // of a process its number, of a network the token in its names
	What string `json:"what"` // of a process its program and sandbox
}

// CollectGarbage removes what dead owners left.
func (l *Loop) CollectGarbage(ctx context.Context, where Where) (Garbage, error) {
	const name = "collect garbage"
	var removed Garbage
	place, err := where.text(name)
	if err != nil {
		return removed, err
	}
	ev, err := l.do(ctx, name, func(o opSettings) (uint64, error) {
		return sandboxCollectGarbage(l.core.h, place, o)
	})
	if err != nil {
		return removed, err
	}
	return removed, json.Unmarshal(ev.payload, &removed)
}

// ID is the sandbox's name.
func (s *Sandbox) ID() string { return s.id }

// Start starts a command inside.
func (s *Sandbox) Start(ctx context.Context, cmd Command) (Process, error) {
	return s.place.Start(ctx, cmd)
}

func (s *Sandbox) do(ctx context.Context, name string, start func(opSettings) (uint64, error)) (event, error) {
	ev, err := s.loop.do(ctx, name, start)
	runtime.KeepAlive(s)
	return ev, err
}

// State asks how it is.
func (s *Sandbox) State(ctx context.Context) (SandboxInfo, error) {
	var info SandboxInfo
	ev, err := s.do(ctx, "sandbox state", func(o opSettings) (uint64, error) { return sandboxState(s.h, o) })
	if err != nil {
		return info, err
	}
	return info, json.Unmarshal(ev.payload, &info)
}

// Pause stops everything inside where it is, until Resume, by whatever process: nothing runs there or takes CPU time, its memory
// stays, and what is connected to it waits. Commands are refused meanwhile. A sandbox that is paused stays so.
func (s *Sandbox) Pause(ctx context.Context) error {
	_, err := s.do(ctx, "pause sandbox", func(o opSettings) (uint64, error) { return sandboxPause(s.h, true, o) })
	return err
}

// Hibernate saves all that runs inside to the disk and ends it there: it takes no memory until its next use, of whatever process,
// or Resume, goes on from there. ErrState where something in it cannot be cut off now.
func (s *Sandbox) Hibernate(ctx context.Context) error {
	_, err := s.do(ctx, "hibernate sandbox", func(o opSettings) (uint64, error) { return sandboxHibernate(s.h, o) })
	return err
}

// Resume lets a paused or hibernated sandbox go on; another runs on.
func (s *Sandbox) Resume(ctx context.Context) error {
	_, err := s.do(ctx, "resume sandbox", func(o opSettings) (uint64, error) { return sandboxPause(s.h, false, o) })
	return err
}

// Ports are those that a sandbox is reached by.
type Ports struct {
	// Published are those of this host that lead to it, "127.0.0.1:8080:80/tcp", as NetworkInfo.Ports has them.
	Published []string `json:"ports"`
	// Containers are those in it that publish ports, as far as its Docker is ready and tells the truth.
	Containers []ContainerPorts `json:"containers"`
}

// ContainerPorts is a container in a sandbox and the ports of the sandbox that lead to it.
type ContainerPorts struct {
	Container string   `json:"container"` // its id in Docker
	Name      string   `json:"name"`
	Ports     []string `json:"ports"` // "0.0.0.0:80:8000/tcp"
}

// Ports asks by which ports it is reached: those of this host, and those of its own that its containers publish.
func (s *Sandbox) Ports(ctx context.Context) (Ports, error) {
	var ports Ports
	ev, err := s.do(ctx, "sandbox ports", func(o opSettings) (uint64, error) { return sandboxPorts(s.h, o) })
	if err != nil {
		return ports, err
	}
	return ports, json.Unmarshal(ev.payload, &ports)
}

// ContainerStats is what a container in a sandbox takes: the sandbox's word. What is not known, and a limit that is none, is nil.
type ContainerStats struct {
	Container   string  `json:"container"` // its id in Docker
	Name        string  `json:"name"`
	Memory      *uint64 `json:"memory_bytes"` // of its processes, and of what they have written to a tmpfs
	MemoryLimit *uint64 `json:"memory_limit_bytes"`
	CPU         *uint64 `json:"cpu_ns"` // processor time since it began, in nanoseconds
	Processes   *uint64 `json:"processes"`
}

// ContainerStats asks what each of its containers that run takes; `docker stats` has zeros in a sandbox.
func (s *Sandbox) ContainerStats(ctx context.Context) ([]ContainerStats, error) {
	ev, err := s.do(ctx, "container stats", func(o opSettings) (uint64, error) { return sandboxContainerStats(s.h, o) })
	if err != nil {
		return nil, err
	}
	var all []ContainerStats
	return all, json.Unmarshal(ev.payload, &all)
}

// Egress is where a sandbox may begin connections to.
type Egress struct {
	Rules         []string       `json:"egress"`         // as in SandboxConfig.Egress
	Refused       uint64         `json:"refused"`        // packets of the sandbox's
	RefusedPlaces []RefusedPlace `json:"refused_places"` // where those of the last hour were to go, the latest first; 1024 at most
	Addresses     []NamedAddress `json:"addresses"`      // that the names in the rules have, as far as it asked for them
	RefusedNames  []RefusedName  `json:"refused_names"`  // with names in the rules: asked for and in none, the latest first; 256 at most
}

// NamedAddress is an address that a sandbox may begin connections to, since a name has it.
type NamedAddress struct {
	Name        string `json:"name"` // that was asked for
	Address     string `json:"address"`
	Rule        string `json:"rule"`         // that allows it
	SecondsLeft int64  `json:"seconds_left"` // until it does no more, where the name is not asked for again
}

// RefusedName is a name that a sandbox asked for and that no rule allows.
type RefusedName struct {
	Name       string `json:"name"`
	Questions  uint64 `json:"questions"`
	SecondsAgo int64  `json:"seconds_ago"` // since the last of them
}

// RefusedPlace is an address and a port that a sandbox was refused.
type RefusedPlace struct {
	To         string `json:"to"` // the rule that would allow it: "192.0.2.7:443/tcp"
	Packets    uint64 `json:"packets"`
	SecondsAgo int64  `json:"seconds_ago"` // since the last of them
}

// Egress asks where it may begin connections to, and what was refused so far.
func (s *Sandbox) Egress(ctx context.Context) (Egress, error) {
	return s.egress(ctx, "sandbox egress", "")
}

// SetEgress changes where it may begin connections to, at once and wholly: SetEgress(ctx, "none"). What is open and not allowed
// any more is refused from its next packet on; answers to who reaches the sandbox are not held to it.
func (s *Sandbox) SetEgress(ctx context.Context, rules ...string) error {
	const name = "set sandbox egress"
	text, err := encode(name, append([]string{}, rules...))
	if err != nil {
		return err
	}
	_, err = s.egress(ctx, name, text)
	return err
}

func (s *Sandbox) egress(ctx context.Context, name, rules string) (Egress, error) {
	var now Egress
	ev, err := s.do(ctx, name, func(o opSettings) (uint64, error) { return sandboxEgress(s.h, rules, o) })
	if err != nil {
		return now, err
	}
	return now, json.Unmarshal(ev.payload, &now)
}

// Finding is something that is wrong with a sandbox, and what shows it.
type Finding struct {
	ID        string `json:"id"` // stable, such as "BERTH-MEMORY"; "BERTH-UNKNOWN" where nobody knows the cause
	Cause     string `json:"cause"`
	Remedy    string `json:"remedy"`    // "" where nobody knows
	Reference string `json:"reference"` // where it is discussed or described
	Evidence  string `json:"evidence"`  // the line that proves it, or the last ones
	Source    string `json:"source"`    // the file that it is from, or "record", "cgroup", "versions"
}

// Diagnose looks at the sandbox's status, logs and cgroup and at the versions of runsc and Docker, and tells what is wrong, the
// most telling first; nothing where nothing is known. It changes nothing.
func (s *Sandbox) Diagnose(ctx context.Context) ([]Finding, error) {
	ev, err := s.do(ctx, "diagnose sandbox", func(o opSettings) (uint64, error) { return sandboxDiagnose(s.h, o) })
	if err != nil {
		return nil, err
	}
	var found struct {
		Findings []Finding `json:"findings"`
	}
	err = json.Unmarshal(ev.payload, &found)
	for i := range found.Findings {
		found.Findings[i].Remedy = inOwnWords(found.Findings[i].Remedy)
	}
	return found.Findings, err
}

// HandOver lets a sandbox that was made with EndsWithCreator go on without this process; with EndsWithProcess, and after its
// Lifetime, it still ends.
func (s *Sandbox) HandOver(ctx context.Context) error {
	_, err := s.do(ctx, "hand over sandbox", func(o opSettings) (uint64, error) { return sandboxHandOver(s.h, o) })
	return err
}

// SandboxLog is one of the logs of a sandbox.
type SandboxLog string

// CommandLog is what the command printed that the sandbox keeps, DaemonLog what dockerd printed, InitLog what its first process and
// runsc printed.
const (
	CommandLog SandboxLog = "command"
	DaemonLog  SandboxLog = "daemon"
	InitLog    SandboxLog = "init"
)

// Logs gives the end of a log, at most limit bytes (0: 64 KiB); "" where nothing was printed. It is the sandbox's text; what is no
// UTF-8 in it is U+FFFD.
func (s *Sandbox) Logs(ctx context.Context, which SandboxLog, limit uint64) (string, error) {
	ev, err := s.do(ctx, "sandbox logs", func(o opSettings) (uint64, error) { return sandboxLogs(s.h, string(which), limit, o) })
	if err != nil {
		return "", err
	}
	var said struct {
		Text string `json:"text"`
	}
	err = json.Unmarshal(ev.payload, &said)
	return said.Text, err
}

// Annotate sets an annotation, as SandboxConfig.Annotations; "" takes it away.
func (s *Sandbox) Annotate(ctx context.Context, key, value string) error {
	_, err := s.do(ctx, "annotate sandbox", func(o opSettings) (uint64, error) { return sandboxAnnotate(s.h, key, value, o) })
	return err
}

// WaitStopped waits until it runs no more: its command has ended, it was stopped or killed. What is left of it stays until Terminate.
func (s *Sandbox) WaitStopped(ctx context.Context) error {
	_, err := s.do(ctx, "wait for the sandbox's end", func(o opSettings) (uint64, error) { return sandboxWaitStopped(s.h, o) })
	return err
}

// StartDetached starts a command that goes on by itself, whatever becomes of this process, until it or the sandbox ends; it returns
// its pid inside. What it prints is appended to log, a file of this host that is made (0600) where it is not there, without a limit. cmd
// has no streams of its own. Errors: ErrProcessExited where it ended at once, with the end of the log as Detail.
func (s *Sandbox) StartDetached(ctx context.Context, cmd Command, log string) (int, error) {
	const name = "start detached"
	if len(cmd.Args) == 0 {
		return 0, invalid(name, "Args", "a command has at least its program")
	}
	if cmd.Stdin != nil || cmd.Stdout != nil || cmd.Stderr != nil {
		return 0, invalid(name, "Stdin, Stdout, Stderr", "a command that goes on by itself has no streams of this process's")
	}
	path, err := filepath.Abs(log)
	if err != nil {
		return 0, err
	}
	text, err := encode(name, detachedOptions{Args: cmd.Args, Env: cmd.Env, Dir: cmd.Dir, User: cmd.User, Log: path})
	if err != nil {
		return 0, err
	}
	ev, err := s.do(ctx, name, func(o opSettings) (uint64, error) { return sandboxStartDetached(s.h, text, o) })
	if err != nil {
		return 0, err
	}
	var told struct {
		Pid int `json:"pid"`
	}
	return told.Pid, json.Unmarshal(ev.payload, &told)
}

// Export writes what the sandbox changed in its root file system to file, a new one of this host, as a tar in the terms of overlayfs's
// upper directories: a layer for an image. Its content is the sandbox's: unpack it with care. A failure leaves no file.
func (s *Sandbox) Export(ctx context.Context, file string) error {
	const name = "export sandbox"
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	_, err = s.do(ctx, name, func(o opSettings) (uint64, error) { return sandboxExport(s.h, path, o) })
	return err
}

// Terminate stops Docker's containers and dockerd, in order, then ends everything inside and removes every resource of the
// sandbox's. One that is gone is no error. Where ctx ends before the removal began, the sandbox stays; to a deadline of ctx's it keeps,
// by killing what has not stopped 2 seconds before it.
func (s *Sandbox) Terminate(ctx context.Context) error {
	return s.TerminateWith(ctx, TerminateOptions{})
}

// TerminateWith is Terminate, at once where options.Force says so.
func (s *Sandbox) TerminateWith(ctx context.Context, options TerminateOptions) error {
	const name = "terminate sandbox"
	text, err := encodeOptions(name, &options)
	if err != nil {
		return err
	}
	_, err = s.do(ctx, name, func(o opSettings) (uint64, error) { return sandboxTerminate(s.h, text, o) })
	if err == nil {
		s.watch.forget()
	}
	return err
}

// StartDocker has the sandbox start dockerd where none is up, and waits until it is ready; the sandbox keeps it, also without
// this process. For sandboxes made with Later, or whose dockerd failed or was stopped: it starts anew, as docker says, or where
// that is nil as before; one that is up stays as it is.
// OnState, Output and LogAttrs of docker take the place of those that the sandbox had once this succeeds; but a dockerd
// that was started without an Output has no lines for a later one.
func (s *Sandbox) StartDocker(ctx context.Context, docker *SandboxDocker) error {
	const name = "start docker"
	if docker == nil {
		docker = s.watch.before()
	}
	options := filled(docker)
	delete(options, "start")
	text, err := encode(name, options)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return notBegun(ctx, name)
	}
	own := s.watch.options()
	if docker != nil {
		own = docker.Options
	}
	link, err := s.watch.newLink(own)
	if err != nil {
		return named(name, err)
	}
	c := s.loop.core
	op, err := sandboxStartDocker(s.h, text, settings(ctx, link.key))
	if err != nil {
		c.unregister(link.key)
		return named(name, err)
	}
	stop := c.cancelWith(ctx, op)
	ev := <-link.done
	stop()
	s.watch.began(link, ev.err, docker)
	runtime.KeepAlive(s)
	return withContext(ctx, named(name, ev.err))
}

// WaitDocker waits until the sandbox's dockerd answers, or until a state from which it will not come to.
func (s *Sandbox) WaitDocker(ctx context.Context) error {
	_, err := s.do(ctx, "wait for docker", func(o opSettings) (uint64, error) { return sandboxWaitDocker(s.h, o) })
	return err
}

// DockerStatus is how its dockerd is.
func (s *Sandbox) DockerStatus(ctx context.Context) (DaemonStatus, error) {
	var status DaemonStatus
	ev, err := s.do(ctx, "docker status", func(o opSettings) (uint64, error) { return sandboxDockerStatus(s.h, o) })
	if err != nil {
		return status, err
	}
	return status, json.Unmarshal(ev.payload, &status)
}

// DockerHost is the address for Docker's clients on this host, as in DOCKER_HOST. Whether a dockerd answers there,
// DockerStatus tells.
func (s *Sandbox) DockerHost() (string, error) {
	host, err := sandboxDockerHost(s.h)
	runtime.KeepAlive(s)
	return host, named("docker host", err)
}

// Close frees the handle; neither OnState nor Output is called after it, and it must not be called from these. The
// sandbox goes on until someone terminates it, and so does its dockerd.
func (s *Sandbox) Close() error {
	_ = s.place.Close()
	sandboxFree(s.h)
	s.watch.close()
	return nil
}

// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"context"
	"encoding/json"
	"runtime"
	"time"
)

// Probe is one way of asking whether something is ready. One of Unix, Host with Port, and Args is set.
type Probe struct {
	Unix    string // a socket's path
	Guarded bool   // the path lies where a sandbox may write: it is opened with care
	Host    string
	Port    int
	Target  string   // asks by HTTP, such as "/_ping", for a 200; "": a connection is enough
	Args    []string // a command that exits with 0, run in Where
	Env     []string
	Dir     string
	User    string
	Where   *Place
}

// PollResult is what came of asking.
type PollResult struct {
	Attempts  int
	Elapsed   time.Duration
	Connected bool // something answered a connection
	Last      string
}

// Poll asks again and again until the probe succeeds or ctx ends. Thousands may run on one loop.
func (l *Loop) Poll(ctx context.Context, probe Probe, o PollOptions) (PollResult, error) {
	const name = "poll"
	p := set{}
	var where cExecutor
	switch {
	case len(probe.Args) != 0:
		if probe.Where == nil {
			return PollResult{}, invalid(name, "Where", "a command needs a place")
		}
		where = probe.Where.h
		p["type"], p["argv"] = "command", probe.Args
		putAll(p, "env", probe.Env)
		put(p, "cwd", probe.Dir)
		put(p, "user", probe.User)
	case probe.Target != "":
		p["type"], p["target"] = "http", probe.Target
	default:
		p["type"] = "connect"
	}
	put(p, "unix", probe.Unix)
	put(p, "guarded", probe.Guarded)
	put(p, "host", probe.Host)
	put(p, "port", probe.Port)
	options := set{"probe": p}
	if schedule := filled(&o); len(schedule) != 0 {
		options["schedule"] = schedule
	}
	text, err := encode(name, options)
	if err != nil {
		return PollResult{}, err
	}
	ev, err := l.do(ctx, name, func(o opSettings) (uint64, error) { return pollStart(l.core.h, where, text, o) })
	runtime.KeepAlive(probe.Where)
	var in struct {
		Attempts  int     `json:"attempts"`
		ElapsedMS float64 `json:"elapsed_ms"`
		Connected bool    `json:"connected"`
		Last      string  `json:"last"`
	}
	if len(ev.payload) != 0 {
		if bad := json.Unmarshal(ev.payload, &in); bad != nil && err == nil {
			err = bad
		}
	}
	return PollResult{in.Attempts, milliseconds(in.ElapsedMS), in.Connected, in.Last}, err
}

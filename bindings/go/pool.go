// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"context"
	"encoding/json"
	"time"
)

// PoolConfig is what a pool is to be. Name and Snapshot are needed.
type PoolConfig struct {
	Name      string
	Snapshot  string  // what it keeps copies of
	Size      int     // how many are kept ready; 0: 4
	AtOnce    int     // how many are made side by side; 0: 2
	PerMinute float64 // how many are begun within a minute; 0: no limit
	// EndsWithCreator makes it garbage once this process is gone: CollectGarbage, or the next pool of this name,
	// removes what is left.
	EndsWithCreator bool
	Later           bool // StartPool returns at once, and it is filled in the background
}

// PoolStatus is a pool at one moment.
type PoolStatus struct {
	Name      string   `json:"name"`
	Snapshot  string   `json:"snapshot"`
	Size      int      `json:"size"`
	AtOnce    int      `json:"at_once"`
	PerMinute float64  `json:"per_minute"`
	Owner     int      `json:"owner"` // the pid that it ends with; 0: none
	Ready     int      `json:"ready"`
	Filling   bool     `json:"filling"` // somebody makes what is missing
	Made      uint64   `json:"made"`
	HandedOut uint64   `json:"handed_out"` // of those that were ready
	Missed    uint64   `json:"missed"`     // made for who asked, since none was ready
	Failed    uint64   `json:"failed"`     // could not be made
	Lost      uint64   `json:"lost"`       // ended while they waited
	RefillMS  int64    `json:"refill_ms"`  // how long the last one took
	Failure   string   `json:"failure"`    // why the last one could not be made
	Sandboxes []string `json:"sandboxes"`  // the ids of those that are ready
}

// Pool keeps copies of a snapshot ready, running: Take hands one out in the time of a message. It is on disk: any process may take
// from it by its name, several at once, and each sandbox goes to one of them. It stays until Stop. Safe for concurrent use.
type Pool struct {
	loop  *Loop
	where Where
	name  string
}

// StartPool makes a pool, or takes up the one of this name, and fills it. When filling fails the pool stays: Stop removes it.
func (l *Loop) StartPool(ctx context.Context, where Where, config PoolConfig) (*Pool, error) {
	const op = "start pool"
	s := set{"name": config.Name, "snapshot": config.Snapshot, "wait": !config.Later}
	put(s, "size", config.Size)
	put(s, "at_once", config.AtOnce)
	put(s, "per_minute", config.PerMinute)
	put(s, "ends_with_creator", config.EndsWithCreator)
	text, err := encode(op, s)
	if err != nil {
		return nil, err
	}
	place, err := where.text(op)
	if err != nil {
		return nil, err
	}
	_, err = l.do(ctx, op, func(o opSettings) (uint64, error) { return poolStart(l.core.h, place, text, o) })
	if err != nil {
		return nil, err
	}
	return l.Pool(where, config.Name), nil
}

// Pool is the pool of this name, whoever started it. Whether there is one shows when it is used: ErrNotFound.
func (l *Loop) Pool(where Where, name string) *Pool { return &Pool{loop: l, where: where, name: name} }

// Name is what it is called.
func (p *Pool) Name() string { return p.name }

// TakeOptions is what a sandbox that is taken or copied may have of its own.
type TakeOptions struct {
	Annotations     map[string]string
	Egress          []string      // as in SandboxConfig; nil: as in the snapshot
	EndsWithCreator bool          // it ends with this process, whatever ends that
	Lifetime        time.Duration // so long after it was taken it stops; 0: never
	IdleTimeout     time.Duration // unused for so long it falls asleep, and its next use wakes it; 0: never
	Hibernate       bool          // with IdleTimeout: it sleeps on the disk, and takes no memory
}

func (t *TakeOptions) fill(s set) {
	if len(t.Annotations) != 0 {
		s["annotations"] = t.Annotations
	}
	putAll(s, "egress", t.Egress)
	put(s, "ends_with_creator", t.EndsWithCreator)
	put(s, "lifetime_ms", inMilliseconds(t.Lifetime))
	put(s, "idle_timeout_ms", inMilliseconds(t.IdleTimeout))
	put(s, "hibernate", t.Hibernate)
}

// Take gives a sandbox that nobody else gets; one is made where none is ready. The pool is filled up again in the background: by
// the berth command where that is installed, whatever becomes of this process, else by this Loop.
func (p *Pool) Take(ctx context.Context, options TakeOptions) (*Sandbox, error) {
	const op = "take from pool"
	s := set{"name": p.name}
	options.fill(s)
	text, err := encode(op, s)
	if err != nil {
		return nil, err
	}
	place, err := p.where.text(op)
	if err != nil {
		return nil, err
	}
	return p.loop.makeSandbox(ctx, op, p.where, nil, func(o opSettings) (cSandbox, uint64, error) {
		return poolTake(p.loop.core.h, place, text, o)
	})
}

// Status is how it is now. It reads small files.
func (p *Pool) Status() (PoolStatus, error) {
	all, err := Pools(p.where)
	if err != nil {
		return PoolStatus{}, err
	}
	for _, one := range all {
		if one.Name == p.name {
			return one, nil
		}
	}
	return PoolStatus{}, &Error{Code: ErrNotFound, Op: "pool status", Layer: "pool", Path: p.name, Message: "there is no pool of this name"}
}

// Stop ends it, and the sandboxes that wait in it; those that were taken stay.
func (p *Pool) Stop(ctx context.Context) error {
	const op = "stop pool"
	place, err := p.where.text(op)
	if err != nil {
		return err
	}
	_, err = p.loop.do(ctx, op, func(o opSettings) (uint64, error) { return poolStop(p.loop.core.h, place, p.name, o) })
	return err
}

// Pools are all below where.Root, by name. It reads small files.
func Pools(where Where) ([]PoolStatus, error) {
	const op = "list pools"
	place, err := where.text(op)
	if err != nil {
		return nil, err
	}
	found, err := poolList(place)
	if err != nil {
		return nil, named(op, err)
	}
	var all []PoolStatus
	return all, named(op, json.Unmarshal(found, &all))
}

// Clone makes n copies of the sandbox, which go on from where it is now, each under an id and address of its own, by one snapshot that
// is removed again. It goes on too; while a command runs in it there is none (ErrState). All or none.
func (s *Sandbox) Clone(ctx context.Context, n int, options TakeOptions) ([]*Sandbox, error) {
	const op = "clone sandbox"
	given := set{"count": n}
	options.fill(given)
	text, err := encode(op, given)
	if err != nil {
		return nil, err
	}
	event, err := s.do(ctx, op, func(o opSettings) (uint64, error) { return sandboxClone(s.h, text, o) })
	if err != nil {
		return nil, err
	}
	var made struct {
		IDs []string `json:"ids"`
	}
	if err := json.Unmarshal(event.payload, &made); err != nil {
		return nil, named(op, err)
	}
	var all []*Sandbox
	for _, id := range made.IDs {
		one, err := s.loop.AttachSandbox(ctx, s.where, id)
		if err != nil {
			s.loop.remove(context.WithoutCancel(ctx), s.where, made.IDs)
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// remove takes away copies that nobody gets.
func (l *Loop) remove(ctx context.Context, where Where, ids []string) {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	for _, id := range ids {
		if one, err := l.AttachSandbox(ctx, where, id); err == nil {
			_ = one.Terminate(ctx)
			one.Close()
		}
	}
}

// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"context"
	"encoding/json"
	"time"
)

// Snapshot is a saved sandbox: SandboxConfig.Snapshot makes sandboxes that go on from it.
type Snapshot struct {
	Name        string  `json:"name"`
	Directory   string  `json:"directory"`
	Damage      string  `json:"damage,omitempty"` // why it cannot be read; then the rest is not known
	CreatedMS   int64   `json:"created_ms"`
	TookMS      int64   `json:"took_ms"`
	Bytes       uint64  `json:"bytes"`
	Docker      bool    `json:"docker"`  // with a dockerd that is ready
	Sandbox     string  `json:"sandbox"` // the one that was saved
	RootFS      string  `json:"rootfs"`
	CPUs        float64 `json:"cpus"`
	MemoryBytes uint64  `json:"memory_bytes"`
	Network     string  `json:"network"`
	Runsc       string  `json:"runsc"` // the release that can restore it
	Berth       string  `json:"berth"`
	// Annotations are those of the sandbox that was saved; those that are made from it have their own.
	Annotations map[string]string `json:"annotations"`
}

// Created is when it was made.
func (s *Snapshot) Created() time.Time { return time.UnixMilli(s.CreatedMS) }

// Snapshot saves the sandbox as it runs, memory and file systems, Docker and its containers, under a name. Everything inside stands
// still meanwhile, and connections to Docker are cut. While a command runs in it nothing is saved (ErrState); a failure leaves
// nothing, and the sandbox runs on. A snapshot holds what was in memory, secrets too.
func (s *Sandbox) Snapshot(ctx context.Context, name string, options SnapshotOptions) (*Snapshot, error) {
	const op = "snapshot sandbox"
	how := filled(&options)
	how["name"] = name
	text, err := encode(op, how)
	if err != nil {
		return nil, err
	}
	event, err := s.do(ctx, op, func(o opSettings) (uint64, error) { return sandboxSnapshot(s.h, text, o) })
	if err != nil {
		return nil, err
	}
	made := new(Snapshot)
	return made, named(op, json.Unmarshal(event.payload, made))
}

// Snapshots are all below where.Root, by name. It reads small files.
func Snapshots(where Where) ([]Snapshot, error) {
	const op = "list snapshots"
	place, err := where.text(op)
	if err != nil {
		return nil, err
	}
	found, err := snapshotList(place)
	if err != nil {
		return nil, named(op, err)
	}
	var all []Snapshot
	return all, named(op, json.Unmarshal(found, &all))
}

// RemoveSnapshot removes one; sandboxes that were made from it need it no more.
func RemoveSnapshot(where Where, name string) error {
	const op = "remove snapshot"
	place, err := where.text(op)
	if err != nil {
		return err
	}
	return named(op, snapshotRemove(place, name))
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"berth.dev/go/berth"
)

// processFile is a command as the OCI process that `runsc exec --process` reads: as arguments of runsc's own it would be
// there for every user of this host to read, its environment too. The file has no name any more; hand it to runsc open.
func (s *sandbox) processFile(what berth.Command) (*os.File, error) {
	config, err := os.ReadFile(s.dir + "/config.json")
	if err != nil {
		return nil, err
	}
	var spec struct {
		Process struct {
			Env             []string        `json:"env"`
			Cwd             string          `json:"cwd"`
			User            map[string]any  `json:"user"`
			Capabilities    json.RawMessage `json:"capabilities,omitempty"`
			NoNewPrivileges bool            `json:"noNewPrivileges"`
		} `json:"process"`
	}
	if err := json.Unmarshal(config, &spec); err != nil {
		return nil, err
	}
	// runsc takes nothing else from the container: what the command adds to has to be in here.
	p := spec.Process
	user := maps.Clone(p.User)
	if user == nil {
		user = map[string]any{}
	}
	if what.User != "" {
		var uid, gid uint32
		switch n, _ := fmt.Sscanf(what.User, "%d:%d", &uid, &gid); n {
		case 2:
			user["gid"] = gid
			fallthrough
		case 1:
			user["uid"] = uid
		default:
			return nil, fmt.Errorf("%w: a user goes by numbers, uid[:gid]", errBadRequest)
		}
	}
	env := slices.Clone(p.Env)
	for _, variable := range what.Env {
		name, _, _ := strings.Cut(variable, "=")
		env = slices.DeleteFunc(env, func(old string) bool { return strings.HasPrefix(old, name+"=") })
		env = append(env, variable)
	}
	cwd := p.Cwd
	if what.Dir != "" {
		cwd = what.Dir
	}
	process := map[string]any{
		"args": what.Args, "env": env, "cwd": cwd, "user": user, "noNewPrivileges": p.NoNewPrivileges,
	}
	if p.Capabilities != nil {
		process["capabilities"] = p.Capabilities
	}
	file, err := os.CreateTemp(s.dir, "process-")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(file.Name())
	if err := json.NewEncoder(file).Encode(process); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"encoding/json"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// CgroupMode is what a sandbox has at /sys/fs/cgroup.
type CgroupMode string

const (
	CgroupSandbox  CgroupMode = "sandbox"   // gVisor's own cgroups, the default
	CgroupHostBind CgroupMode = "host-bind" // the host's: unsafe, and Docker does not work with it
	CgroupNone     CgroupMode = "none"
)

// ApplyDocker gives back spec with what a sandbox needs for dockerd inside. The argument is left as it is; everything in it
// is in the result. Doing it twice changes nothing more.
func ApplyDocker(spec *specs.Spec, recipe *DockerRecipe) (*specs.Spec, error) {
	if spec == nil {
		return nil, invalid("apply docker", "spec", "the spec is nil")
	}
	text, err := encode("apply docker", spec)
	if err != nil {
		return nil, err
	}
	config, err := ApplyDockerJSON([]byte(text), recipe)
	if err != nil {
		return nil, err
	}
	out := new(specs.Spec)
	if err := json.Unmarshal(config, out); err != nil {
		return nil, err
	}
	return out, nil
}

// ApplyDockerJSON is [ApplyDocker] for a config.json. Fields that this Go program does not know survive too, as do the
// order of keys and the text of numbers.
func ApplyDockerJSON(config []byte, recipe *DockerRecipe) ([]byte, error) {
	options, err := encodeOptions("apply docker", recipe)
	if err != nil {
		return nil, err
	}
	out, seenTo, err := specApplyDocker(config, options, recipe != nil && recipe.Logger != nil)
	if err != nil {
		return nil, named("apply docker", err)
	}
	if recipe != nil && recipe.Logger != nil {
		var done struct {
			Log []json.RawMessage `json:"log"`
		}
		if err := json.Unmarshal(seenTo, &done); err != nil {
			return nil, err
		}
		for _, line := range done.Log {
			logTo(recipe.Logger, line, nil)
		}
	}
	return out, nil
}

// MergeSpec applies a JSON merge patch (RFC 7396) to a config.json: objects merge, null removes, the rest replaces. The
// result is checked as every spec is.
func MergeSpec(config, patch []byte) ([]byte, error) {
	out, err := specMerge(config, patch)
	return out, named("merge spec", err)
}

// Change is one difference between two specs.
type Change struct {
	Op     string          `json:"op"`   // "add", "remove" or "replace"
	Path   string          `json:"path"` // a JSON pointer
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// DiffSpecs tells how one config.json differs from another.
func DiffSpecs(before, after []byte) ([]Change, error) {
	out, err := specDiff(before, after)
	if err != nil {
		return nil, named("diff specs", err)
	}
	var changes []Change
	err = json.Unmarshal(out, &changes)
	return changes, err
}

// Version is that of the library, such as "0.1.0".
func Version() string { return libraryVersion() }

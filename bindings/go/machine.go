// SPDX-License-Identifier: Apache-2.0

package berth

import "encoding/json"

// Machine is what a machine has of what berth needs.
type Machine struct {
	OK     bool           `json:"ok"` // all that is needed is found
	Checks []MachineCheck `json:"checks"`
}

// MachineCheck is one thing that a machine has, lacks, or has in a form that does not do.
type MachineCheck struct {
	Name   string `json:"name"`   // "kernel", "runsc", "nft", "rootfs dockerd"
	State  string `json:"state"`  // "found", "missing" or "unfit"
	Needed bool   `json:"needed"` // without it nothing works; otherwise it is an extra
	Found  string `json:"found"`  // what is there, or why it does not do
	Remedy string `json:"remedy"` // what to do; empty where there is nothing to be done
}

// CheckMachine tells what this machine has of what berth needs, and, where rootfs is not empty, what is to be said of the Docker in
// that root file system. It changes nothing, but for what [FindInit] does, and takes half a second the first time, while runsc is asked for its options.
func CheckMachine(where Where, rootfs string) (Machine, error) {
	const op = "check machine"
	var out Machine
	place, err := where.text(op)
	if err != nil {
		return out, err
	}
	found, err := checkMachine(place, rootfs)
	if err != nil {
		return out, named(op, err)
	}
	err = json.Unmarshal(found, &out)
	for i := range out.Checks {
		out.Checks[i].Remedy = inOwnWords(out.Checks[i].Remedy)
	}
	return out, named(op, err)
}

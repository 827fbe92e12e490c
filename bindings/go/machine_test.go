// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"strings"
	"testing"
)

// Needs neither root nor runsc: what is there differs, and that it is told does not.
func TestCheckMachine(t *testing.T) {
	where := Where{Root: t.TempDir(), Runsc: "/nonexistent/runsc"}
	machine, err := CheckMachine(where, "/nonexistent/rootfs")
	if err != nil {
		t.Fatal(err)
	}
	if machine.OK {
		t.Error("a machine without runsc is none that will do")
	}
	seen := map[string]MachineCheck{}
	for _, one := range machine.Checks {
		seen[one.Name] = one
	}
	for _, name := range []string{"root", "kernel", "capabilities", "ip", "nft", "state directory"} {
		if seen[name].State == "" || seen[name].Found == "" {
			t.Errorf("%s: %+v", name, seen[name])
		}
	}
	for _, name := range []string{"runsc", "rootfs"} {
		if one := seen[name]; one.State != "missing" || !one.Needed || one.Remedy == "" {
			t.Errorf("%s: %+v", name, one)
		}
	}
	if !strings.Contains(seen["runsc"].Found, "/nonexistent/runsc") {
		t.Errorf("runsc: %+v", seen["runsc"])
	}
}

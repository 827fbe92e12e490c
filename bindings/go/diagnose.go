// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"encoding/json"
	"runtime"
)

// Diagnosis is a known failure of Docker in gVisor, and the line that showed it.
type Diagnosis struct {
	ID        string `json:"id"` // stable, such as "BERTH-FREEZER"
	Cause     string `json:"cause"`
	Remedy    string `json:"remedy"`
	Reference string `json:"reference"` // where it is discussed or mended
	Evidence  string `json:"evidence"`  // the line, cut at 400 bytes
}

// DiagnoseDocker looks for known symptoms in what docker, dockerd, runc or runsc printed, which may be any bytes; the most
// telling comes first, and where nothing is known the result is empty. binary is what the sandbox runs on; with nil, what an
// older release causes is found, too. It waits for nothing, and any number of goroutines may call it.
func DiagnoseDocker(output string, binary *Runsc) ([]Diagnosis, error) {
	var h cRunsc
	if binary != nil {
		h = binary.h
	}
	found, err := dockerDiagnose(output, h)
	runtime.KeepAlive(binary)
	if err != nil {
		return nil, named("diagnose docker", err)
	}
	var out []Diagnosis
	err = json.Unmarshal(found, &out)
	for i := range out {
		out[i].Remedy = inOwnWords(out[i].Remedy)
	}
	return out, named("diagnose docker", err)
}

// SPDX-License-Identifier: Apache-2.0

//go:build !cgo

package berth

import (
	"errors"
	"testing"
)

func TestWithoutCgo(t *testing.T) {
	if _, err := NewLoop(LoopOptions{}); !errors.Is(err, ErrNoCgo) {
		t.Error(err)
	}
	if _, err := ApplyDockerJSON([]byte(`{}`), nil); !errors.Is(err, ErrNoCgo) {
		t.Error(err)
	}
	if _, err := ProbeRunsc(t.Context(), "", ""); !errors.Is(err, ErrNoCgo) {
		t.Error(err)
	}
}

// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth

import (
	"context"
	"testing"
	"time"
)

func newLoop(t testing.TB, o LoopOptions) *Loop {
	t.Helper()
	l, err := NewLoop(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func newHost(t testing.TB, l *Loop) *Place {
	t.Helper()
	p, err := l.Host()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits for something that comes by itself.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for range 3000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("this did not come: %s", what)
}

// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"context"
	"encoding/json"
	"runtime"
)

// Runsc is what one runsc binary can do. Immutable; any number of goroutines may use it.
type Runsc struct {
	h cRunsc
	// Without a pointer in it the object would share a block of Go's memory with others, and live as long as they.
	_ *byte
}

// RunscInfo describes a binary.
type RunscInfo struct {
	Path            string `json:"path"`
	Version         string `json:"version"`
	Date            int    `json:"date"` // of its release, such as 20260701; 0 when not known
	PacketWriteFlag string `json:"packet_write_flag"`
}

// ProbeRunsc finds a binary ("": runsc on the PATH) and asks it for its release and options: about a dozen starts of it,
// or one stat where that is known from before, in this process or in cacheDir ("": none). When ctx ends it returns at
// once, while what was begun ends by itself within a second or so.
func ProbeRunsc(ctx context.Context, binary, cacheDir string) (*Runsc, error) {
	return detached(ctx, "probe runsc", func() (*Runsc, error) {
		h, err := runscProbe(binary, cacheDir)
		return newRunsc(h, err)
	})
}

// RunscFromText makes one from what a binary printed: the outputs of `runsc --version`, `runsc flags`, `runsc help`, and
// of `runsc help VERB` by verb.
func RunscFromText(path, version, flags, verbs string, help map[string]string) (*Runsc, error) {
	texts, err := encode("read runsc", map[string]any{"version": version, "flags": flags, "verbs": verbs, "help": help})
	if err != nil {
		return nil, err
	}
	r, err := newRunsc(runscFromText(path, texts))
	return r, named("read runsc", err)
}

func newRunsc(h cRunsc, err error) (*Runsc, error) {
	if err != nil {
		return nil, err
	}
	r := &Runsc{h: h}
	runtime.AddCleanup(r, func(h cRunsc) { runscFree(h) }, h)
	return r, nil
}

// detached runs a call that blocks for a short while and knows no context.
func detached[T any](ctx context.Context, name string, call func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	if ctx.Err() != nil {
		return none, notBegun(ctx, name)
	}
	done := make(chan answer, 1)
	go func() {
		v, err := call()
		done <- answer{v, err}
	}()
	select {
	case a := <-done:
		return a.value, named(name, a.err)
	case <-ctx.Done():
		return none, notBegun(ctx, name)
	}
}

// Info tells which binary it is.
func (r *Runsc) Info() (RunscInfo, error) {
	var info RunscInfo
	b, err := runscJSON(r.h)
	runtime.KeepAlive(r)
	if err != nil {
		return info, named("runsc info", err)
	}
	return info, json.Unmarshal(b, &info)
}

// Has tells whether the binary takes an option and heeds it. verb "": a global option; flag "": the verb itself.
func (r *Runsc) Has(verb, flag string) (bool, error) {
	has, err := runscHas(r.h, verb, flag)
	runtime.KeepAlive(r)
	return has, named("runsc has", err)
}

// RunscArgs is the command line of one of runsc's verbs, the binary first. It runs nothing. An option that this binary
// lacks is ErrRunscFlagUnsupported.
func RunscArgs(r *Runsc, verb string, o RunscOptions) ([]string, error) {
	if r == nil {
		return nil, invalid("runsc args", "r", "the binary is nil")
	}
	options, err := encodeOptions("runsc "+verb, &o)
	if err != nil {
		return nil, err
	}
	args, err := runscArgv(r.h, verb, options)
	runtime.KeepAlive(r)
	return args, named("runsc "+verb, err)
}

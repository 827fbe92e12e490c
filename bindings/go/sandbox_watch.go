// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"log/slog"
	"sync"
)

// sandboxWatch is what a sandbox has registered with its loop. It outlives the Sandbox, since the dockerd goes on
// whether or not a program still holds it.
type sandboxWatch struct {
	core  *loopCore
	notes *notifier // one for all, so that OnState and Output are called one at a time

	mu     sync.Mutex
	gone   bool           // the sandbox was removed
	docker *SandboxDocker // what a StartDocker without any goes by; nil: what the library has
	// The first is of the call that made the Sandbox, and its key that of the sandbox's own log lines; the second, where
	// there is one, of the StartDocker that made the present supervisor.
	links []*sandboxLink
}

// sandboxLink takes the events of one key: the end of its operation, then those of the dockerd that this started.
type sandboxLink struct {
	key  uint64
	done waiter
	mu   sync.Mutex
	observer
	observed bool // it has had another event than the end
	silent   bool // its Sandbox was closed
}

func (w *sandboxWatch) newLink(options DaemonOptions) (*sandboxLink, error) {
	l := &sandboxLink{done: make(waiter, 1), observer: observer{w.notes, options}}
	key, err := w.core.register(l)
	l.key = key
	return l, err
}

func (l *sandboxLink) handle(ev event) {
	if ev.kind == eventDone {
		select {
		case l.done <- ev:
		default:
		}
		return
	}
	l.mu.Lock()
	o, silent := l.observer, l.silent
	l.observed = true
	l.mu.Unlock()
	if !silent {
		o.observe(ev)
	}
}

func (l *sandboxLink) logAttrs() []slog.Attr {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.observed = true
	return l.options.LogAttrs
}

func (w *sandboxWatch) options() DaemonOptions {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.links[len(w.links)-1]
	last.mu.Lock()
	defer last.mu.Unlock()
	return last.options
}

// before is what was last said of its Docker, for a StartDocker that says nothing.
func (w *sandboxWatch) before() *SandboxDocker {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.docker
}

func (w *sandboxWatch) remember(docker SandboxDocker) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.docker = &docker
}

// began is told of the end of a StartDocker: by err whether dockerd is up, and docker is nil where nothing was said of it.
func (w *sandboxWatch) began(l *sandboxLink, err error, docker *SandboxDocker) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l.mu.Lock()
	mine := l.observed
	l.mu.Unlock()
	if mine && !w.gone { // the supervisor is a new one: the one before has no more to tell
		for _, old := range w.links[1:] {
			w.core.unregister(old.key)
		}
		w.links = append(w.links[:1], l)
	} else {
		w.core.unregister(l.key)
	}
	if docker == nil || err != nil && !mine {
		return // refused, or as it was
	}
	kept := *docker
	w.docker = &kept
	if err == nil {
		for _, each := range w.links {
			each.mu.Lock()
			each.options = docker.Options
			each.mu.Unlock()
		}
	}
}

// close ends the calls of OnState and Output. Log lines go on, and with them their attributes.
func (w *sandboxWatch) close() {
	w.mu.Lock()
	for _, l := range w.links {
		l.mu.Lock()
		l.silent = true
		l.options = DaemonOptions{LogAttrs: l.options.LogAttrs} // what is never called again is not kept either
		if len(l.options.LogAttrs) == 0 {
			w.core.unregister(l.key)
		}
		l.mu.Unlock()
	}
	w.mu.Unlock()
	w.notes.close()
}

// release is for a Sandbox that nobody closed and nobody holds: whoever asked to be told goes on being told.
func (w *sandboxWatch) release() {
	if o := w.options(); o.OnState == nil && o.Output == nil && len(o.LogAttrs) == 0 {
		w.forget()
	}
}

// forget is for when nothing comes any more.
func (w *sandboxWatch) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = true
	for _, l := range w.links {
		w.core.unregister(l.key)
	}
}

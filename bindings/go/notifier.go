// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"context"
	"log/slog"
	"sync"
)

// notifier calls functions of the user's in the order in which they came about, on a goroutine of its own while there
// are any: one that is slow holds up its like, neither the operations nor other notifiers.
type notifier struct {
	core  *loopCore
	text  string // of the log line about what was dropped
	attrs []slog.Attr
	// Lines beyond these are dropped: what a sandbox prints must not fill this process's memory.
	maxLines, maxBytes int

	mu      sync.Mutex
	idle    sync.Cond
	queue   []note
	lines   int // waiting ones
	bytes   int // of theirs
	dropped int
	active  bool // its goroutine runs
	closed  bool
}

type note struct {
	bytes int // 0 for one that is never dropped
	call  func()
}

func (c *loopCore) newNotifier(text string, maxLines, maxBytes int) *notifier {
	n := &notifier{core: c, text: text, maxLines: maxLines, maxBytes: maxBytes}
	n.idle.L = &n.mu
	return n
}

// addLine is for what may be dropped.
func (n *notifier) addLine(bytes int, call func()) { n.put(note{max(bytes, 1), call}) }

func (n *notifier) add(call func()) { n.put(note{0, call}) }

func (n *notifier) put(what note) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	if what.bytes != 0 {
		if n.lines >= n.maxLines || n.bytes >= n.maxBytes {
			n.dropped++
			return
		}
		n.lines++
		n.bytes += what.bytes
	}
	n.queue = append(n.queue, what)
	if !n.active {
		n.active = true
		n.core.notifying.Add(1)
		go n.run()
	}
}

// close returns when all that came was handled; what comes later is nobody's.
func (n *notifier) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	for n.active {
		n.idle.Wait()
	}
}

func (n *notifier) run() {
	defer n.core.notifying.Done()
	n.mu.Lock()
	for len(n.queue) != 0 {
		work, dropped := n.queue, n.dropped
		n.queue, n.lines, n.bytes, n.dropped = nil, 0, 0, 0
		n.mu.Unlock()
		for _, w := range work {
			w.call()
		}
		if dropped != 0 { // after these had come
			n.core.warn(n.text, append([]slog.Attr{slog.Int("dropped", dropped)}, n.attrs...))
		}
		n.mu.Lock()
	}
	n.active = false
	n.idle.Broadcast()
	n.mu.Unlock()
}

// warn logs a line of this package's own.
func (c *loopCore) warn(text string, attrs []slog.Attr) {
	if c.logger != nil && c.logLevel <= slog.LevelWarn {
		c.logger.LogAttrs(context.Background(), slog.LevelWarn, text, attrs...)
	}
}

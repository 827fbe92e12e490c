// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
)

// consoleHandler writes lines such as `INF docker daemon is ready and accepting commands retry_count=3`.
type consoleHandler struct {
	w     io.Writer
	mu    *sync.Mutex
	attrs []slog.Attr
}

func (h consoleHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h consoleHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.attrs = append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)
	return h
}

func (h consoleHandler) WithGroup(string) slog.Handler { return h }

func (h consoleHandler) Handle(_ context.Context, r slog.Record) error {
	word := "DBG"
	switch {
	case r.Level >= slog.LevelError:
		word = "ERR"
	case r.Level >= slog.LevelWarn:
		word = "WRN"
	case r.Level >= slog.LevelInfo:
		word = "INF"
	}
	var line strings.Builder
	line.WriteString(word + " " + r.Message)
	add := func(a slog.Attr) bool {
		value := a.Value.String()
		if value == "" || strings.ContainsAny(value, " \"=\n") {
			value = strconv.Quote(value)
		}
		line.WriteString(" " + a.Key + "=" + value)
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.w, line.String()+"\n")
	return err
}

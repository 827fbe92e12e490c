// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
)

// logTo gives one of the library's log lines to a logger, its fields in their order.
// The object's own come after them.
func logTo(logger *slog.Logger, payload []byte, own []slog.Attr) {
	var line struct {
		Level   string          `json:"level"`
		Message string          `json:"message"`
		Fields  json.RawMessage `json:"fields"`
	}
	if json.Unmarshal(payload, &line) != nil {
		return
	}
	level := slog.LevelInfo
	switch line.Level {
	case "debug":
		level = slog.LevelDebug
	case "warn":
		level = slog.LevelWarn
	case "error":
		level = slog.LevelError
	}
	ctx := context.Background()
	if !logger.Enabled(ctx, level) {
		return
	}
	var attrs []slog.Attr
	d := json.NewDecoder(bytes.NewReader(line.Fields))
	_, _ = d.Token()
	for d.More() {
		key, err1 := d.Token()
		value, err2 := d.Token()
		name, ok := key.(string)
		if err1 != nil || err2 != nil || !ok {
			break
		}
		attrs = append(attrs, slog.Any(name, value))
	}
	logger.LogAttrs(ctx, level, line.Message, append(attrs, own...)...)
}

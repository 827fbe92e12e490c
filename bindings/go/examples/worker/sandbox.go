// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"berth.dev/go/berth"
)

var errBadRequest = errors.New("bad request")

type sandboxRequest struct {
	ID     string          `json:"id"`
	Spec   json.RawMessage `json:"spec"` // kept as it came: fields that this worker does not know survive
	Docker *struct {
		DataRoot string `json:"data_root"`
		SNAT     bool   `json:"snat"` // where the spec's network namespace has a way out
	} `json:"docker"`
}

// sandbox is one container of this worker's. It is the Executor through which berth runs dockerd.
type sandbox struct {
	w        *worker
	id       string
	dir      string
	commands atomic.Int64

	// Held while it is made, and while it is removed: a removal waits for the creation, and a second one for the first.
	life    sync.Mutex
	ran     bool // under life: there may be a container
	removed bool // under life

	mu      sync.Mutex
	docker  *berth.Supervisor // nil without Docker
	started chan struct{}     // the first start of dockerd has come to its end
	failure error
}

var goodID = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$`)

// reserve takes an id for a sandbox that is about to be made: its life is held already.
func (w *worker) reserve(id string) (*sandbox, error) {
	if !goodID.MatchString(id) {
		return nil, fmt.Errorf("%w: %q is no id", errBadRequest, id)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sandboxes[id] != nil {
		return nil, fmt.Errorf("%w: %q is taken", errBadRequest, id)
	}
	s := &sandbox{w: w, id: id, dir: filepath.Join(w.state, id), started: make(chan struct{})}
	s.life.Lock()
	w.sandboxes[id] = s
	return s, nil
}

// forget frees the id of one that was removed.
func (w *worker) forget(s *sandbox) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.sandboxes, s.id)
}

func (s *sandbox) globals() berth.RunscGlobals {
	// NetRaw belongs to each command that starts processes: without it runsc takes CAP_NET_RAW from them.
	return berth.RunscGlobals{Root: filepath.Join(s.w.state, "runsc"), DebugLog: s.dir + "/log/", NetRaw: true}
}

// call runs one runsc verb to its end.
func (s *sandbox) call(ctx context.Context, verb string, o berth.RunscOptions) error {
	o.Globals, o.ID = s.globals(), s.id
	args, err := berth.RunscArgs(s.w.runsc, verb, o)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	// The sandbox keeps its stdout and stderr: they are a file, not a pipe that would not end.
	log, err := os.OpenFile(filepath.Join(s.dir, "runsc.log"), os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("runsc %s: %w: %s", verb, err, bytes.TrimSpace(text))
	}
	return nil
}

// create makes a sandbox that was reserved. Where that fails, what was made is removed; where that fails too, its id
// stays taken, so that it can be removed later.
func (s *sandbox) create(ctx context.Context, request sandboxRequest) error {
	defer s.life.Unlock()
	err := s.start(ctx, request)
	if err != nil {
		err = errors.Join(err, s.takeAway(context.WithoutCancel(ctx)))
	}
	return err
}

// start makes the bundle and runs it. Docker is started in the background.
func (s *sandbox) start(ctx context.Context, request sandboxRequest) error {
	if err := os.MkdirAll(s.dir+"/log", 0o700); err != nil {
		return err
	}
	config := []byte(request.Spec)
	if request.Docker != nil {
		// dockerd is started by berth-init.
		init, err := berth.FindInit(berth.Where{})
		if err != nil {
			return err
		}
		recipe := &berth.DockerRecipe{DataRoot: request.Docker.DataRoot, Guest: init, Logger: s.w.log.With("sandbox", s.id)}
		if config, err = berth.ApplyDockerJSON(config, recipe); err != nil {
			return err
		}
	}
	if err := os.WriteFile(s.dir+"/config.json", config, 0o600); err != nil {
		return err
	}
	// To its end, also when the client has gone: killed halfway, runsc leaves what `runsc delete` does not find.
	running, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	s.ran = true
	if err := s.call(running, "run", berth.RunscOptions{Bundle: s.dir, Detach: true}); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.w.log.Info("sandbox is running", "sandbox", s.id)
	if request.Docker == nil {
		return nil
	}
	docker, err := berth.NewSupervisor(s.w.loop, s, &berth.DaemonOptions{
		Restart:      berth.RestartOnFailure,
		SNAT:         &request.Docker.SNAT,
		ReadyTimeout: s.w.patience,
		// Behind the line's own fields.
		LogAttrs: []slog.Attr{slog.String("sandbox", s.id)},
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.docker = docker
	s.mu.Unlock()
	go func() {
		failure := docker.Start(context.Background())
		s.mu.Lock()
		s.failure = failure
		s.mu.Unlock()
		close(s.started)
	}()
	return nil
}

func (s *sandbox) supervisor() *berth.Supervisor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.docker
}

// ready returns once dockerd answers. A daemon that has died since is waited for again, or reported.
func (s *sandbox) ready(ctx context.Context) error {
	docker := s.supervisor()
	if docker == nil {
		return fmt.Errorf("%w: this sandbox has no Docker", errBadRequest)
	}
	select {
	case <-s.started:
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	failure := s.failure
	s.mu.Unlock()
	if failure != nil {
		return failure
	}
	return docker.WaitReady(ctx)
}

// remove takes the sandbox away, once: whoever comes later waits for the first, and tries again where that failed.
func (s *sandbox) remove(ctx context.Context) error {
	s.life.Lock()
	defer s.life.Unlock()
	return s.takeAway(ctx)
}

// takeAway stops Docker and removes the container and its directory. Only then the id is free. For the holder of life.
func (s *sandbox) takeAway(ctx context.Context) error {
	if s.removed {
		return nil
	}
	s.mu.Lock()
	docker := s.docker
	s.docker = nil
	s.mu.Unlock()
	if docker != nil {
		stopping, cancel := context.WithTimeout(ctx, 30*time.Second)
		if err := docker.Stop(stopping); err != nil {
			s.w.log.Warn("docker did not stop", "sandbox", s.id, "error", err.Error())
		}
		cancel()
		_ = docker.Close()
	}
	if s.ran {
		if err := s.call(ctx, "delete", berth.RunscOptions{Force: true}); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(s.dir); err != nil {
		return err
	}
	s.removed = true
	s.w.forget(s)
	return nil
}

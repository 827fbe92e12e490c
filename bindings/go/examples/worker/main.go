// SPDX-License-Identifier: Apache-2.0

// worker is a small worker of a sandbox platform: it takes OCI specs over HTTP and runs each in a gVisor sandbox by its own
// runsc calls. Docker inside comes from berth, which edits the spec, names the runsc options and supervises dockerd.
//
//	worker -listen unix:/run/worker.sock -runsc /usr/local/bin/runsc -state /run/worker
//
//	POST   /sandboxes            {"id","spec","docker":{"data_root":"tmpfs","snat":true}}: 201 once it runs
//	GET    /sandboxes/ID         {"id","docker":{…}}
//	GET    /sandboxes/ID/docker  as above, once dockerd is ready, or 503 with the reason
//	POST   /sandboxes/ID/exec    {"args","env","stdin"}: stdout and stderr as they come; the trailer Exit-Code
//	DELETE /sandboxes/ID
//
// It runs as root. Its log is on stderr, one line an event.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"berth.dev/go/berth"
)

type worker struct {
	loop  *berth.Loop
	runsc *berth.Runsc
	state string
	log   *slog.Logger

	patience time.Duration // with Docker's start

	mu        sync.Mutex
	sandboxes map[string]*sandbox
	ending    bool           // nothing is begun any more
	requests  sync.WaitGroup // under way
}

func main() {
	listen := flag.String("listen", "unix:/run/worker.sock", "where to serve: unix:PATH or HOST:PORT")
	binary := flag.String("runsc", "runsc", "the runsc binary")
	state := flag.String("state", "/run/worker", "a directory of the worker's own")
	patience := flag.Duration("docker-timeout", 30*time.Second, "how long Docker may take to get ready")
	flag.Parse()
	logger := slog.New(consoleHandler{w: os.Stderr, mu: new(sync.Mutex)})
	if err := serve(*listen, *binary, *state, *patience, logger); err != nil {
		logger.Error(err.Error())
		os.Exit(1)
	}
}

func serve(listen, binary, state string, patience time.Duration, logger *slog.Logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	loop, err := berth.NewLoop(berth.LoopOptions{Logger: logger, LogLevel: slog.LevelDebug})
	if err != nil {
		return err
	}
	defer loop.Close()
	runsc, err := berth.ProbeRunsc(ctx, binary, "")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(state, 0o700); err != nil {
		return err
	}
	w := &worker{loop: loop, runsc: runsc, state: state, patience: patience, log: logger, sandboxes: map[string]*sandbox{}}
	network, address := "tcp", listen
	if path, ok := strings.CutPrefix(listen, "unix:"); ok {
		network, address = "unix", path
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: w.routes(), BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() {
		<-ctx.Done() // which ends what waits in a request, too
		w.mu.Lock()
		w.ending = true
		w.mu.Unlock()
		patience, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if server.Shutdown(patience) != nil {
			_ = server.Close()
		}
	}()
	logger.Info("worker is serving", "address", listen)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	w.requests.Wait() // Serve returns before they do; a creation may be among them
	return w.removeAll()
}

// counted keeps the worker alive until the requests that have begun are over.
func (w *worker) counted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		ending := w.ending
		if !ending {
			w.requests.Add(1)
		}
		w.mu.Unlock()
		if ending {
			http.Error(rw, "the worker is ending", http.StatusServiceUnavailable)
			return
		}
		defer w.requests.Done()
		h.ServeHTTP(rw, r)
	})
}

func (w *worker) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sandboxes", w.create)
	mux.HandleFunc("GET /sandboxes/{id}", w.with(w.show))
	mux.HandleFunc("GET /sandboxes/{id}/docker", w.with(w.waitDocker))
	mux.HandleFunc("POST /sandboxes/{id}/exec", w.with(w.exec))
	mux.HandleFunc("DELETE /sandboxes/{id}", w.with(w.remove))
	return w.counted(mux)
}

func (w *worker) with(do func(http.ResponseWriter, *http.Request, *sandbox)) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		s := w.sandboxes[r.PathValue("id")]
		w.mu.Unlock()
		if s == nil {
			http.Error(rw, "no such sandbox", http.StatusNotFound)
			return
		}
		do(rw, r, s)
	}
}

// fail answers by what kind of error it is.
func fail(rw http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var e *berth.Error
	switch {
	case errors.Is(err, errBadRequest), errors.Is(err, berth.ErrInvalid):
		status = http.StatusBadRequest
	case errors.Is(err, berth.ErrDaemonNotReady), errors.Is(err, berth.ErrDaemonFailed), errors.Is(err, berth.ErrDaemonNotPresent):
		status = http.StatusServiceUnavailable
	case errors.As(err, &e) && e.Layer == "spec":
		status = http.StatusBadRequest
	}
	http.Error(rw, err.Error(), status)
}

func (w *worker) create(rw http.ResponseWriter, r *http.Request) {
	var request sandboxRequest
	if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 16<<20)).Decode(&request); err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	s, err := w.reserve(request.ID)
	if err == nil {
		err = s.create(r.Context(), request)
	}
	if err != nil {
		fail(rw, err)
		return
	}
	rw.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(rw).Encode(map[string]string{"id": s.id})
}

func (w *worker) show(rw http.ResponseWriter, r *http.Request, s *sandbox) {
	out := map[string]any{"id": s.id}
	if docker := s.supervisor(); docker != nil {
		status, err := docker.Status()
		if err != nil {
			fail(rw, err)
			return
		}
		out["docker"] = map[string]any{"state": status.State, "pid": status.Pid, "restarts": status.Restarts}
	}
	_ = json.NewEncoder(rw).Encode(out)
}

func (w *worker) waitDocker(rw http.ResponseWriter, r *http.Request, s *sandbox) {
	if err := s.ready(r.Context()); err != nil {
		fail(rw, err)
		return
	}
	w.show(rw, r, s)
}

// flusher sends each piece of output at once.
type flusher struct {
	rw http.ResponseWriter
	c  *http.ResponseController
	mu *sync.Mutex
}

func (f flusher) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.rw.Write(b)
	if err == nil {
		err = f.c.Flush()
	}
	return n, err
}

func (w *worker) exec(rw http.ResponseWriter, r *http.Request, s *sandbox) {
	var request struct {
		Args, Env []string
		Stdin     string
	}
	if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 16<<20)).Decode(&request); err != nil || len(request.Args) == 0 {
		http.Error(rw, "args are wanted", http.StatusBadRequest)
		return
	}
	// Only Docker's own commands wait for Docker.
	if request.Args[0] == "docker" {
		if err := s.ready(r.Context()); err != nil {
			fail(rw, err)
			return
		}
	}
	out := flusher{rw, http.NewResponseController(rw), new(sync.Mutex)}
	rw.Header().Set("Trailer", "Exit-Code")
	cmd := berth.Command{Args: request.Args, Env: request.Env, Stdout: out, Stderr: out}
	if request.Stdin != "" {
		cmd.Stdin = strings.NewReader(request.Stdin)
	}
	status, err := berth.Run(r.Context(), s, cmd)
	if err != nil {
		w.log.Warn("a command failed", "sandbox", s.id, "error", err.Error())
		panic(http.ErrAbortHandler)
	}
	code := status.Code
	if status.Signal != 0 {
		code = 128 + int(status.Signal)
	}
	rw.Header().Set("Exit-Code", strconv.Itoa(code))
}

func (w *worker) remove(rw http.ResponseWriter, r *http.Request, s *sandbox) {
	// To its end, also when the client has gone.
	if err := s.remove(context.WithoutCancel(r.Context())); err != nil {
		fail(rw, err)
		return
	}
	rw.WriteHeader(http.StatusNoContent)
}

func (w *worker) removeAll() error {
	w.mu.Lock()
	all := slices.Collect(maps.Values(w.sandboxes))
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var errs []error
	for _, s := range all {
		errs = append(errs, s.remove(ctx))
	}
	return errors.Join(errs...)
}

// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package berth_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"berth.dev/go/berth"
)

func ExampleApplyDockerJSON() {
	config := []byte(`{"ociVersion":"1.1.0","x-mine":{"n":1e3},"process":{"args":["sleep","infinity"]}}`)
	out, err := berth.ApplyDockerJSON(config, &berth.DockerRecipe{DataRoot: "tmpfs"})
	if err != nil {
		panic(err)
	}
	changes, err := berth.DiffSpecs(config, out)
	if err != nil {
		panic(err)
	}
	for _, c := range changes {
		fmt.Println(c.Op, c.Path)
	}
	// Output:
	// add /process/capabilities
	// add /mounts
}

// A worker's own executor, and dockerd supervised through it.
func ExampleNewSupervisor() {
	var mine berth.Executor // runs commands in a sandbox of ours; see examples/worker
	loop, err := berth.NewLoop(berth.LoopOptions{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		panic(err)
	}
	defer loop.Close()
	docker, err := berth.NewSupervisor(loop, mine, &berth.DaemonOptions{Restart: berth.RestartOnFailure})
	if err != nil {
		panic(err)
	}
	defer docker.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	switch err := docker.Start(ctx); {
	case errors.Is(err, berth.ErrDaemonNotPresent):
		fmt.Println("there is no Docker in this image")
	case err != nil:
		panic(err) // with dockerd's last lines
	}
}

// A sandbox of berth's own, with Docker.
func ExampleLoop_CreateSandbox() {
	ctx := context.Background()
	loop, err := berth.NewLoop(berth.LoopOptions{})
	if err != nil {
		panic(err)
	}
	defer loop.Close()
	box, err := loop.CreateSandbox(ctx, berth.Where{}, berth.SandboxConfig{
		RootFS: "/srv/images/docker",
		CPUs:   1, MemoryBytes: 2 << 30,
		Docker: &berth.SandboxDocker{},
	})
	if err != nil {
		panic(err)
	}
	defer box.Terminate(ctx)
	if err := box.WaitDocker(ctx); err != nil {
		panic(err)
	}
	host, _ := box.DockerHost() // for any Docker client on this host
	out, err := berth.Output(ctx, box, "docker", "version", "--format", "{{.Server.Version}}")
	fmt.Println(host, string(out), err)
}

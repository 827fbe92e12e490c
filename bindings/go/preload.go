// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// PreloadImages are Docker's images that a snapshot is to have in it.
type PreloadImages struct {
	Pull []string // names, as docker pull takes them
	Load []string // archives of docker save, files of this host
}

// Preload gives a snapshot of a sandbox of this config whose Docker has these images already: SandboxConfig.Snapshot and PoolConfig start
// from its Name. It is made once: its name depends on the config, the names and what is in the archives, and where there is one it is
// given as it is. A name that moves, as latest, is not looked up again: RemoveSnapshot comes before that. ID, Annotations,
// EndsWithCreator and CreateTimeout of the config do not count. Whatever fails, nothing is left.
func (l *Loop) Preload(ctx context.Context, where Where, config SandboxConfig, images PreloadImages) (*Snapshot, error) {
	const op = "preload images"
	if len(images.Pull)+len(images.Load) == 0 {
		return nil, &Error{Code: ErrInvalid, Op: op, Layer: "go", Message: "there is no image to be preloaded", Hint: "name one in Pull or Load"}
	}
	config.ID, config.Annotations, config.EndsWithCreator = "", nil, true
	timeout := config.CreateTimeout
	config.CreateTimeout = 0
	if config.Docker == nil {
		config.Docker = &SandboxDocker{}
	}
	name, err := preloadName(config, images)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if found, err := findSnapshot(where, name); found != nil || err != nil {
		return found, err
	}
	config.CreateTimeout = timeout
	s, err := l.CreateSandbox(ctx, where, config)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	defer func() {
		end, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer stop()
		_ = s.Terminate(end)
	}()
	if err := s.WaitDocker(ctx); err != nil {
		return nil, err
	}
	for _, file := range images.Load {
		if err := loadImage(ctx, s, file); err != nil {
			return nil, err
		}
	}
	for _, image := range images.Pull {
		if _, err := Output(ctx, s, "docker", "pull", "--quiet", image); err != nil {
			return nil, err
		}
	}
	made, err := s.Snapshot(ctx, name, SnapshotOptions{})
	if errors.Is(err, ErrExists) { // another process was quicker
		return findSnapshot(where, name)
	}
	return made, err
}

// preloadName is the same for what is the same.
func preloadName(config SandboxConfig, images PreloadImages) (string, error) {
	text, err := encodeOptions("preload images", &config)
	if err != nil {
		return "", err
	}
	what := []any{text}
	// Which directory it is, and whether packages were installed into it since.
	for _, below := range []string{"", "etc", "usr/bin", "usr/lib", "var/lib/dpkg/status", "lib/apk/db/installed"} {
		if info, err := os.Stat(filepath.Join(config.RootFS, below)); err == nil {
			what = append(what, below, info.ModTime().UnixNano())
		}
	}
	names := append([]string{}, images.Pull...)
	sort.Strings(names)
	what = append(what, names)
	for _, file := range images.Load {
		content, err := os.Open(file)
		if err != nil {
			return "", err
		}
		sum := sha256.New()
		_, err = io.Copy(sum, content)
		_ = content.Close()
		if err != nil {
			return "", err
		}
		what = append(what, hex.EncodeToString(sum.Sum(nil)))
	}
	all, err := json.Marshal(what)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(all)
	return "preload-" + hex.EncodeToString(sum[:12]), nil
}

func findSnapshot(where Where, name string) (*Snapshot, error) {
	all, err := Snapshots(where)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Name == name && all[i].Damage == "" {
			return &all[i], nil
		}
	}
	return nil, nil
}

func loadImage(ctx context.Context, s *Sandbox, file string) error {
	archive, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }()
	var errs bytes.Buffer
	status, err := Run(ctx, s, Command{Args: []string{"docker", "load", "--quiet"}, Stdin: archive, Stderr: &errs})
	if err == nil && !status.Success() {
		err = &Error{Code: ErrDockerFailed, Layer: "go", Op: "preload images", Path: file, Message: "docker load: " + status.String(),
			Detail: strings.TrimSpace(errs.String())}
	}
	return err
}

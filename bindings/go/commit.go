// SPDX-License-Identifier: Apache-2.0

package berth

import (
	"context"
	"encoding/json"
	"path/filepath"
)

// CommittedImage is an image that was made of a sandbox.
type CommittedImage struct {
	Digest string `json:"digest"` // of its manifest: "sha256:…"
	Size   uint64 `json:"size"`   // of its manifest, configuration and compressed layers, in bytes
}

// Commit makes an image of the sandbox, its root file system and what it changed there, in an OCI image layout of this host; the sandbox
// goes on. `skopeo copy oci:LAYOUT:TAG docker://…` brings it to a registry. umoci packs it. A failure leaves the layout as it was.
// Errors: ErrNotFound (umoci, the directory for the layout), ErrUnsupported (a file that no image can hold), ErrProcessExited.
func (s *Sandbox) Commit(ctx context.Context, options CommitOptions) (*CommittedImage, error) {
	const op = "commit sandbox"
	if options.Layout != "" {
		path, err := filepath.Abs(options.Layout)
		if err != nil {
			return nil, err
		}
		options.Layout = path
	}
	text, err := encodeOptions(op, &options)
	if err != nil {
		return nil, err
	}
	event, err := s.do(ctx, op, func(o opSettings) (uint64, error) { return sandboxCommit(s.h, text, o) })
	if err != nil {
		return nil, err
	}
	made := new(CommittedImage)
	return made, named(op, json.Unmarshal(event.payload, made))
}

// SPDX-License-Identifier: Apache-2.0

// Package berth gives gVisor sandboxes a working Docker.
//
// A worker that runs sandboxes with runsc itself uses [ApplyDocker] for its OCI specs, [RunscArgs] for its command lines
// and a [Supervisor] for dockerd, which runs its commands through the worker's own [Executor]. Who wants sandboxes made
// and removed for them uses [Loop.CreateSandbox].
//
// What takes time happens on a [Loop]: one thread of the library's and one goroutine, for any number of operations. Every
// operation takes a context; when it ends, the operation is cancelled, has cleaned up, and only then returns. No call
// into the library blocks for long, so that a thousand waiting goroutines need no thousand threads.
//
// Errors are [*Error] with a [Code]: errors.Is(err, berth.ErrDaemonNotReady).
package berth

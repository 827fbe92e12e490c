// SPDX-License-Identifier: Apache-2.0

//go:build cgo && berth_static && !berth_shared

package berth

// Linked with libberth.a, found by pkg-config.

/*
#cgo pkg-config: berth-static
*/
import "C"

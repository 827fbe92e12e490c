// SPDX-License-Identifier: Apache-2.0

//go:build cgo && berth_shared

package berth

// Linked with libberth.so.0, found by pkg-config.

/*
#cgo pkg-config: berth
*/
import "C"

// SPDX-License-Identifier: Apache-2.0

package berth

import "syscall"

// dupFD is a duplicate that children do not inherit.
func dupFD(fd int) (int, error) {
	n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return -1, &Error{Code: ErrIO, Errno: errno, Layer: "go", Message: "the loop's descriptor could not be duplicated"}
	}
	return int(n), nil
}

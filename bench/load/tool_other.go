//go:build !linux

package load

import "os/exec"

// endWithParent does nothing, because the kernel lacks this.
func endWithParent(*exec.Cmd) {}

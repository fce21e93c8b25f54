package load

import (
	"os/exec"
	"syscall"
)

// endWithParent keeps a tool from loading a server on after the bench was killed.
func endWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

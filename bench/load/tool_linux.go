package load

import (
	"os/exec"
	"syscall"
)

// endWithParent makes the kernel kill the tool if the bench is killed.
func endWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

package bench

import (
	"os/exec"
	"syscall"
)

// isolate gives the command a process group of its own.
func isolate(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// terminate kills the command, because Windows has no signal that asks it to end.
func terminate(command *exec.Cmd, _ syscall.Signal) {
	command.Process.Kill() // an error means that it has ended
}

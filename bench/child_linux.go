package bench

import (
	"os/exec"
	"syscall"
)

// isolate gives the command a process group of its own. The kernel kills the command if the bench dies.
func isolate(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// terminate sends the signal to the command's process group.
func terminate(command *exec.Cmd, signal syscall.Signal) {
	syscall.Kill(-command.Process.Pid, signal) // an error means that it has ended
}

package result

import (
	"runtime"

	"demo-server/cores"
)

// ThisMachine describes the machine that this process runs on. Values that the system does not provide stay empty or
// 0.
func ThisMachine() Machine {
	m := Machine{
		Cores: cores.Whole(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), OpenFiles: openFiles(),
	}
	m.ask()
	return m
}

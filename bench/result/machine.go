package result

import (
	"runtime"

	"demo-server/cores"
)

// ThisMachine describes the machine that this process runs on. What this system does not tell stays empty or 0.
func ThisMachine() Machine {
	m := Machine{
		Cores: cores.Whole(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), OpenFiles: openFiles(),
	}
	m.ask()
	return m
}

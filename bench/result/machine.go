package result

import "runtime"

// ThisMachine describes the machine that this process runs on. What this system does not tell stays empty or 0.
func ThisMachine() Machine {
	m := Machine{
		Cores: WholeCores(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), OpenFiles: openFiles(),
	}
	m.ask()
	return m
}

package result

import "github.com/prometheus/procfs"

// ask sets the fields that the kernel provides.
func (m *Machine) ask() {
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return
	}
	if cpus, err := proc.CPUInfo(); err == nil && len(cpus) > 0 {
		m.CPU = cpus[0].ModelName
	}
	if memory, err := proc.Meminfo(); err == nil && memory.MemTotalBytes != nil {
		m.Memory = int64(*memory.MemTotalBytes)
	}
	if release, err := proc.SysctlStrings("kernel.osrelease"); err == nil && len(release) > 0 {
		m.Kernel = release[0]
	}
	if longest, err := proc.SysctlInts("net.core.somaxconn"); err == nil && len(longest) > 0 {
		m.Backlog = longest[0]
	}
}

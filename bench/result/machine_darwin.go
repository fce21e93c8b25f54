package result

import "golang.org/x/sys/unix"

// ask sets the fields that the kernel provides.
func (m *Machine) ask() {
	if name, err := unix.Sysctl("machdep.cpu.brand_string"); err == nil {
		m.CPU = name
	}
	if size, err := unix.SysctlUint64("hw.memsize"); err == nil {
		m.Memory = int64(size)
	}
	if release, err := unix.Sysctl("kern.osrelease"); err == nil {
		m.Kernel = release
	}
	if longest, err := unix.SysctlUint32("kern.ipc.somaxconn"); err == nil {
		m.Backlog = int(longest)
	}
}

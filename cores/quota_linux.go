package cores

import (
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// quota returns how many cores the CPU quota of this process's control group allows, or infinity without a quota.
func quota() float64 {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return math.Inf(1)
	}
	return quotaOf(string(groups), os.DirFS("/sys/fs/cgroup"))
}

// quotaOf returns the smallest quota, in cores, of a process's control groups and their ancestors (cgroups(7)).
// groups is the text of /proc/PID/cgroup, and mounted the mounted cgroup file system. A container may see its own
// group as the root.
func quotaOf(groups string, mounted fs.FS) float64 {
	least := math.Inf(1)
	for line := range strings.Lines(groups) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3) // 4:cpu,cpuacct:/group, or in version 2 0::/group
		if len(fields) < 3 {
			continue
		}
		root := "."
		if fields[1] != "" {
			root = "cpu"
		}
		if root == "cpu" && !slices.Contains(strings.Split(fields[1], ","), "cpu") {
			continue
		}
		for group := path.Clean("/" + fields[2]); ; group = path.Dir(group) {
			folder := path.Join(root, group)
			least = min(least, quotient(mounted, path.Join(folder, "cpu.max")),
				quotient(mounted, path.Join(folder, "cpu.cfs_quota_us"), path.Join(folder, "cpu.cfs_period_us")))
			if group == "/" {
				break
			}
		}
	}
	return least
}

// quotient reads two numbers from files and returns the first divided by the second. It returns infinity if they do
// not set a quota.
func quotient(mounted fs.FS, names ...string) float64 {
	var fields []string
	for _, name := range names {
		text, err := fs.ReadFile(mounted, name)
		if err != nil {
			return math.Inf(1)
		}
		fields = append(fields, strings.Fields(string(text))...)
	}
	if len(fields) != 2 {
		return math.Inf(1)
	}
	quota, err1 := strconv.ParseFloat(fields[0], 64) // max or -1 means no quota
	period, err2 := strconv.ParseFloat(fields[1], 64)
	if err1 != nil || err2 != nil || quota <= 0 || period <= 0 {
		return math.Inf(1)
	}
	return quota / period
}

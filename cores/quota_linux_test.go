package cores

import (
	"math"
	"testing"
	"testing/fstest"
)

// TestQuota reads both versions of control groups.
func TestQuota(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	const v2, v1 = "0::/a/b\n", "4:memory:/a\n3:cpu,cpuacct:/a/b\n0::/\n"
	cases := []struct {
		name   string
		groups string
		files  fstest.MapFS
		want   float64
	}{
		{"no groups", "", nil, math.Inf(1)},
		{"no files", v2, nil, math.Inf(1)},
		{"no quota", v2, fstest.MapFS{"a/b/cpu.max": file("max 100000\n")}, math.Inf(1)},
		{"one core and a half", v2, fstest.MapFS{"a/b/cpu.max": file("150000 100000\n")}, 1.5},
		{"less around it", v2, fstest.MapFS{"a/b/cpu.max": file("150000 100000\n"), "a/cpu.max": file("50000 100000\n")}, 0.5},
		{"a container's own root", v2, fstest.MapFS{"cpu.max": file("100000 100000\n")}, 1},
		{"version 1", v1, fstest.MapFS{"cpu/a/b/cpu.cfs_quota_us": file("100000\n"), "cpu/a/b/cpu.cfs_period_us": file("50000\n")}, 2},
		{"version 1 without a quota", v1,
			fstest.MapFS{"cpu/a/b/cpu.cfs_quota_us": file("-1\n"), "cpu/a/b/cpu.cfs_period_us": file("100000\n")}, math.Inf(1)},
		{"another group's", v1, fstest.MapFS{"cpu/c/cpu.cfs_quota_us": file("1\n"), "cpu/c/cpu.cfs_period_us": file("1\n")}, math.Inf(1)},
		{"nonsense", "x\n0::../../..\n", fstest.MapFS{"cpu.max": file("0 0\n")}, math.Inf(1)},
	}
	for _, c := range cases {
		if got := quotaOf(c.groups, c.files); got != c.want {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
	}
}

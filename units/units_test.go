package units

import (
	"math"
	"testing"
	"time"
)

func TestSizes(t *testing.T) {
	for _, test := range []struct {
		text string
		n    int64
		ok   bool
		says string // the result of FormatSize
	}{
		{"0", 0, true, "0"},
		{"1023", 1023, true, "1023"},
		{"1024", KiB, true, "1KiB"},
		{"1536", 1536, true, "1536"},
		{"64KiB", 64 * KiB, true, "64KiB"},
		{"1024KiB", MiB, true, "1MiB"},
		{"007MiB", 7 * MiB, true, "7MiB"},
		{"3GiB", 3 * GiB, true, "3GiB"},
		{"9223372036854775807", math.MaxInt64, true, "9223372036854775807"},
		{"9223372036854775808", math.MaxInt64, true, "9223372036854775807"},
		{"9999999999GiB", math.MaxInt64, true, "9223372036854775807"},
		{"99999999999999999999KiB", math.MaxInt64, true, "9223372036854775807"},
		{text: "", says: "0"},
		{text: "KiB", says: "0"},
		{text: "-1", says: "0"},
		{text: "+1", says: "0"},
		{text: "1.5MiB", says: "0"},
		{text: "1KB", says: "0"},
		{text: "1kib", says: "0"},
		{text: "1 KiB", says: "0"},
		{text: "1KiBMiB", says: "0"},
	} {
		n, ok := ParseSize(test.text)
		if n != test.n || ok != test.ok {
			t.Errorf("ParseSize(%q) is %d, %v; want %d, %v", test.text, n, ok, test.n, test.ok)
		}
		if says := FormatSize(n); says != test.says {
			t.Errorf("FormatSize(%d) is %q, want %q", n, says, test.says)
		}
	}
}

// FuzzSize checks that ParseSize reads the output of FormatSize as the same size.
func FuzzSize(f *testing.F) {
	for _, n := range []int64{0, 1, KiB, MiB, GiB, 5 * GiB, math.MaxInt64} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n int64) {
		if n < 0 {
			return
		}
		if again, ok := ParseSize(FormatSize(n)); again != n || !ok {
			t.Errorf("%d is written %s, and read as %d, %v", n, FormatSize(n), again, ok)
		}
	})
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 300 * time.Millisecond: "300ms", time.Minute: "1m", 90 * time.Second: "1m30s", time.Hour: "1h",
		time.Hour + time.Second: "1h0m1s", 10 * time.Hour: "10h", 70 * time.Minute: "1h10m",
	} {
		if got := FormatDuration(d); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for want, got := range map[string]string{"0 workers": Count(0, "worker"), "1 worker": Count(1, "worker"), "2 workers": Count(2, "worker")} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

package bench

import (
	"math"
	"strings"
	"testing"
	"time"

	"demo-server/bench/result"
	"demo-server/cores"
)

// TestOthers checks that the CPU of the server, this process and the tool is subtracted from the machine's.
func TestOthers(t *testing.T) {
	n := result.Number[float64]
	samples := []result.Sample{{CPU: n(10)}, {}, {CPU: n(11.5)}}
	cases := []struct {
		name    string
		span    span
		samples []result.Sample
		tool    time.Duration
		want    *float64
	}{
		{"a busy machine", span{took: 2, own: 0.5, machine: n(4)}, samples, 0, n(1)},
		{"with a tool", span{took: 2, own: 0.5, machine: n(4)}, samples, time.Second, n(0.5)},
		{"a quiet one, less than the clocks can tell", span{took: 2, own: 0.5, machine: n(1.9)}, samples, 0, n(0)},
		{"a system that does not say", span{took: 2, own: 0.5}, samples, 0, nil},
		{"a server that ran already", span{took: 2, own: 0.5, machine: n(4)}, []result.Sample{{}, {}}, 0, nil},
		{"no samples", span{took: 2, own: 0.5, machine: n(4)}, nil, 0, nil},
		{"a short time", span{took: 0.1, own: 0.05, machine: n(4)}, samples, 0, nil},
	}
	for _, c := range cases {
		got := c.span.others(c.samples, c.tool)
		if (got == nil) != (c.want == nil) || got != nil && math.Abs(*got-*c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", c.name, text(got), text(c.want))
		}
	}
}

func text(figure *float64) any {
	if figure == nil {
		return "unknown"
	}
	return *figure
}

// TestBusyMachine checks that the CPU of others is reported once for the whole run.
func TestBusyMachine(t *testing.T) {
	row := func(name string, others ...float64) (row result.Row) {
		row.Name = name
		for i := range others {
			row.Repeats = append(row.Repeats, result.Repeat{Figures: result.Figures{OtherCores: &others[i]}})
		}
		row.Repeats = append(row.Repeats, result.Repeat{})
		return row
	}
	some := othersMatter * cores.Allowed()
	if got := busyMachine([]result.Row{row("a", 0.9*some), row("b", 0, 0.5*some), row("c")}); got != "" {
		t.Errorf("of a quiet machine: %q", got)
	}
	got := busyMachine([]result.Row{row("a", 0), row("b", 3*some, 0)})
	if !strings.HasPrefix(got, "Other processes used ") || !strings.Contains(got, "(b)") {
		t.Errorf("of a busy machine: %q", got)
	}
}

package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"demo-server/bench/result"
)

// TestGroupsOf checks that rows of a matrix are grouped by work. A server must look the same in each group, even if
// it was not measured with each kind of work.
func TestGroupsOf(t *testing.T) {
	row := func(server, work string) result.Row {
		return result.Row{Name: server + result.Times + work, Work: work}
	}
	type shown struct {
		Group, Name string
		Look        int
	}
	tests := []struct {
		name string
		rows []result.Row
		want []shown
	}{
		{"no matrix", []result.Row{{Name: "a", Work: "sleep"}, {Name: "b\x1b", Work: "sleep"}}, []shown{{"", "a", 0}, {"", "b ", 1}}},
		{"a matrix with a gap", []result.Row{row("a", "sleep"), row("b", "sleep"), row("b", "cpu")},
			[]shown{{"sleep", "a", 0}, {"sleep", "b", 1}, {"cpu", "b", 1}}},
		{"a server next to it", []result.Row{row("a", "sleep"), row("a", "cpu"), {Name: "mine"}},
			[]shown{{"sleep", "a", 0}, {"cpu", "a", 0}, {otherWork, "mine", 3}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []shown
			for _, g := range groupsOf(test.rows) {
				for _, e := range g.entries {
					got = append(got, shown{g.title, e.name, e.look})
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func TestExtremes(t *testing.T) {
	of := func(name string, seconds float64, beyond bool) result.Row {
		row := result.Row{Name: name}
		row.Total.P99 = &result.Latency{Seconds: seconds, Beyond: beyond}
		return row
	}
	tests := []struct {
		name string
		rows []result.Row
		want string
	}{
		{"nothing is known", []result.Row{{Name: "a"}}, ""},
		{"one", []result.Row{of("a", 2, false), {Name: "b"}}, "2.000 s (a)"},
		{"all alike", []result.Row{of("a", 2, false), of("b", 2.0001, false)}, "2.000 s in all rows"},
		{"several", []result.Row{of("a", 2, false), of("b", 3, false), of("c", 1, false)}, "1.000 s (c) to 3.000 s (b)"},
		{"a bound is beyond all that is known", []result.Row{of("a", 2.1, false), of("b", 2, true)}, "2.100 s (a) to > 2 s (b)"},
	}
	for _, test := range tests {
		p99 := latencyOf(result.Load{}, func(f *result.Figures) *result.Latency { return f.P99 })
		if got := extremes(groupsOf(test.rows), p99); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

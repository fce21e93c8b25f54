package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGroupNotes(t *testing.T) {
	late := func(name, deviations, each string) note {
		return note{name, calm, deviations + " off the prediction: each request spent " + each + " beside queue and work"}
	}
	for _, test := range []struct {
		name  string
		notes []note
		want  []string
	}{
		{"none", nil, nil},
		{"the same", []note{{"a", calm, "is slow"}, {"b", calm, "is slow"}}, []string{"a, b: is slow"}},
		{
			"others between", []note{{"a", calm, "is slow"}, {"b", calm, "is fast"}, {"c", calm, "is slow"}},
			[]string{"a, c: is slow", "b: is fast"},
		},
		{
			"the same cause, with other figures",
			[]note{late("a", "requests/s -2.6%, longest +6.5%", "758.74µs"), late("b", "requests/s -7.3%", "1.05ms"), late("c", "longest +4.5%", "2ms")},
			[]string{"a, b, c: requests/s -2.6% to -7.3% (2 of 3), longest +4.5% to +6.5% (2 of 3) off the prediction: each request spent 758.74µs to 2ms" +
				" beside queue and work"},
		},
		{
			"changes in both directions", []note{{"a", calm, "served +17.9% more"}, {"b", calm, "served -18.9% more"}},
			[]string{"a, b: served -18.9% to +17.9% more"},
		},
		{
			"durations and thousands", []note{{"a", calm, "5,000 requests take 1m0s"}, {"b", calm, "900 requests take 59.5s"}},
			[]string{"a, b: 900 to 5,000 requests take 59.5s to 1m0s"},
		},
		{
			"figures of different things", []note{{"a", calm, "took 5s"}, {"b", calm, "took 5%"}, {"c", calm, "took 5 slots"}, {"d", calm, "took 5slots"}},
			[]string{"a: took 5s", "b: took 5%", "c: took 5 slots", "d: took 5slots"},
		},
		{
			"a figure in a name is none", []note{{"a", calm, "at p99 it is late"}, {"b", calm, "at p50 it is late"}, {"c", calm, "by HTTP/1.1"}},
			[]string{"a: at p99 it is late", "b: at p50 it is late", "c: by HTTP/1.1"},
		},
		{"a row twice", []note{{"a", calm, "1 failed"}, {"a", calm, "2 failed"}}, []string{"a: 1 to 2 failed"}},
		{
			"many rows", []note{{"a", calm, "x"}, {"b", calm, "x"}, {"c", calm, "x"}, {"d", calm, "x"}, {"e", calm, "x"}, {"f", calm, "x"}},
			[]string{"a, b, c, d and 2 more: x"},
		},
		{
			"one too many is named, too", []note{{"a", calm, "x"}, {"b", calm, "x"}, {"c", calm, "x"}, {"d", calm, "x"}, {"e", calm, "x"}},
			[]string{"a, b, c, d, e: x"},
		},
	} {
		w := &writer{}
		var got []string
		for _, g := range groupNotes(test.notes) {
			got = append(got, w.folded(g.names)+": "+g.text())
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	wide := &writer{Options: Options{Wide: true}}
	if got := wide.folded(strings.Split("abcdefgh", "")); got != "a, b, c, d, e, f, g, h" {
		t.Errorf("all names are asked for, and these are shown: %s", got)
	}
}

func TestGroupMood(t *testing.T) {
	groups := groupNotes([]note{{"a", calm, "x"}, {"b", alarmed, "x"}, {"c", careful, "x"}})
	if len(groups) != 1 || groups[0].mood != alarmed {
		t.Errorf("%+v, want one group, alarmed", groups)
	}
}

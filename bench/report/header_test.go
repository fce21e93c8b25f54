package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"

	"demo-server/bench/result"
)

// closedLoad returns a load of 100 clients, after change.
func closedLoad(change func(*result.Load)) result.Load {
	l := result.Load{Generator: "builtin", Loop: "closed", Concurrency: 100, DurationSeconds: 2.5, Repeat: 2}
	if change != nil {
		change(&l)
	}
	return l
}

// modeRow returns a row of a mode whose requests take delay seconds.
func modeRow(name, work string, delay float64) result.Row {
	row := result.Row{Name: name, Kind: result.KindMode, Mode: "goroutine", Work: work, WorkAbout: "wait for a timer", Delay: &delay}
	if delay > 0 {
		row.Total.Ceiling = result.Number(100 / delay)
	}
	return row
}

// faulty returns a row with a fault.
func faulty(fault string) result.Row {
	row := modeRow("goroutine", "sleep", 0.2)
	row.Fault = fault
	return row
}

func TestHeader(t *testing.T) {
	python := result.Row{Name: "flask", Kind: result.KindOriginal, Delay: result.Number(0.2), Total: result.Figures{Ceiling: result.Number(500.0)}}
	mine := result.Row{Name: "mine", Kind: result.KindAgainst, About: "a server at http://127.0.0.1:8080/"}
	const (
		load    = "100 clients for 2.5 s, 2 rounds, a new connection per request"
		ceiling = "500 requests/s, the most that 100 clients can ask for (100 / 200 ms)"
	)
	for _, test := range []struct {
		name                   string
		load                   result.Load
		rows                   []result.Row
		request, load1, limits string
	}{
		{
			"alike", closedLoad(nil), []result.Row{modeRow("goroutine", "sleep", 0.2), modeRow("pool", "sleep", 0.2)},
			"200 ms of work sleep: wait for a timer", load, ceiling,
		},
		{
			"a fault", closedLoad(nil), []result.Row{faulty("status=503:20"), faulty("status=503:20"), python},
			"200 ms of work sleep: wait for a timer; in Python, time.sleep; with the fault status=503:20", load, ceiling,
		},
		{
			"faults", closedLoad(nil), []result.Row{faulty("status=503:20"), faulty("")},
			"200 ms of work sleep: wait for a timer; some rows inject faults", load, ceiling,
		},
		{
			"kinds of work", closedLoad(nil), []result.Row{modeRow("goroutine × cpu", "cpu", 0.2), modeRow("goroutine × mutex", "mutex", 0.2)},
			"does one kind of work for 200 ms: cpu or mutex", load, ceiling,
		},
		{
			"delays", closedLoad(nil), []result.Row{modeRow("goroutine(delay=1s)", "block", 1), modeRow("goroutine", "block", 0.2)},
			"200 ms or 1 s, by row, of work block: wait for a timer", load,
			"clients / delay, the most that 100 clients can ask for",
		},
		{
			"other servers", closedLoad(nil), []result.Row{modeRow("goroutine", "sleep", 0.2), python, mine},
			"200 ms of work sleep: wait for a timer; in Python, time.sleep; mine: whatever the server does for it", load, ceiling,
		},
		{
			"Python only, a number of requests", closedLoad(func(l *result.Load) { l.Requests, l.Repeat, l.WarmupSeconds = 5000, 1, 1.5 }),
			[]result.Row{python},
			"waits 200 ms in time.sleep", "100 clients, 5,000 requests, 1 round, 1.5 s of warm-up, a new connection per request", ceiling,
		},
		{
			"one server of which nothing is known", closedLoad(nil), []result.Row{mine}, "whatever the server does for it", load,
			"not known: it follows from the delay, and none is known",
		},
		{
			"without a delay", closedLoad(func(l *result.Load) { l.Generator, l.Keepalive, l.Concurrency = "wrk", true, 1 }),
			[]result.Row{modeRow("goroutine", "sleep", 0)},
			"no delay: the server answers at once", "1 client for 2.5 s, 2 rounds, on kept connections, by wrk",
			"none: without a delay, the clients ask for as much as they get",
		},
		{
			"open loop", closedLoad(func(l *result.Load) { l.Loop, l.Rate, l.Concurrency = "open", 15, 9000 }),
			[]result.Row{modeRow("goroutine", "sleep", 0.2)},
			"200 ms of work sleep: wait for a timer", "15 requests/s for 2.5 s, 2 rounds, a new connection per request, 9,000 may wait",
			"15 requests/s, the rate of the load",
		},
		{
			"ab, which sends one request alone", closedLoad(func(l *result.Load) { l.Generator = "ab" }),
			[]result.Row{{Name: "goroutine", Work: "sleep", WorkAbout: "wait for a timer", Delay: result.Number(0.2), Prediction: &result.Figures{Ceiling: result.Number(458.75)}}},
			"200 ms of work sleep: wait for a timer", load + ", by ab", "458.8 requests/s, the most that ab can count with 100 clients",
		},
	} {
		want := []headerLine{{"Request", test.request}, {"Load", test.load1}, {"Ceiling", test.limits}}
		if diff := cmp.Diff(want, header(&result.Result{Load: test.load, Rows: test.rows})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	if lines := header(cost()); lines != nil {
		t.Errorf("a run of bench cost has the header %v", lines)
	}
}

func TestRowMeanings(t *testing.T) {
	row := func(name, kind, mode string, settings map[string]string) result.Row {
		return result.Row{Name: name, Kind: kind, Mode: mode, Settings: settings, About: "about " + name}
	}
	rows := []result.Row{
		row("goroutine", result.KindMode, "goroutine", nil), row("goroutine#2", result.KindMode, "goroutine", nil),
		row("pool(50)", result.KindMode, "pool", map[string]string{"workers": "50"}),
		row("pool(workers=2,queue=1)", result.KindMode, "pool", map[string]string{"workers": "2", "queue": "1"}),
		row("flask", result.KindOriginal, "", nil), row("mine#1", result.KindAgainst, "", nil),
	}
	want := []headerLine{
		{"goroutine#2", "the same as goroutine once more"}, {"pool(50)", "mode pool with workers=50"},
		{"pool(workers=2,queue=1)", "mode pool with queue=1 and workers=2"}, {"flask", "Python: about flask"}, {"mine#1", "about mine#1"},
	}
	if diff := cmp.Diff(want, rowMeanings(rows)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	var crossed []result.Row
	delays := map[string]*float64{"cpu": result.Number(0.02), "other": nil}
	for _, kind := range []string{"cpu", "other"} {
		r := row("pool(50)"+result.Times+kind, result.KindMode, "pool", map[string]string{"workers": "50", "work": kind})
		r.Work, r.Delay = kind, delays[kind]
		crossed = append(crossed, r)
	}
	want = []headerLine{
		{"pool(50)", "mode pool with workers=50"}, {"× cpu", "20 ms of work cpu"},
		{"× other", "a delay of work other"},
	}
	if diff := cmp.Diff(want, rowMeanings(crossed)); diff != "" {
		t.Errorf("several kinds of work (-want +got):\n%s", diff)
	}
}

// TestHeaderLength checks that each header of a run of all modes fits on a line.
func TestHeaderLength(t *testing.T) {
	const longest = 70
	r := &result.Result{Load: closedLoad(nil), Rows: []result.Row{modeRow("goroutine", "sleep", 0.2)}}
	for _, line := range header(r) {
		if got := text.StringWidth(line.Text); got > longest {
			t.Errorf("%s: %d characters, want at most %d: %s", line.Label, got, longest, line.Text)
		}
	}
}

func TestMixesLatencies(t *testing.T) {
	for _, test := range []struct {
		generator string
		counts    result.Counts
		want      bool
	}{
		{"builtin", result.Counts{Answered: 9, Refused: 1, Failed: 1, Status: 1}, false},
		{"ab", result.Counts{Answered: 9}, false},
		{"ab", result.Counts{Answered: 9, Failed: 1, Status: 1}, true},
		{"ab", result.Counts{Answered: 9, Failed: 1, Broken: 1}, true},
		{"ab", result.Counts{Answered: 9, Failed: 1, Body: 1}, true},
		{"ab", result.Counts{Answered: 9, Failed: 1, Connect: 1}, false}, // ab gives no latency for failed connections
		{"wrk", result.Counts{Answered: 9, Failed: 1, Status: 1}, true},
		{"wrk", result.Counts{Answered: 9, Failed: 1, Timeout: 1}, true},
		{"wrk", result.Counts{Answered: 9, Failed: 1, Broken: 1}, false},
	} {
		row := result.Row{Total: result.Figures{Counts: test.counts}}
		load := result.Load{Generator: test.generator}
		if got := mixesLatencies(load, &row); got != test.want {
			t.Errorf("%s with %+v: %t, want %t", test.generator, test.counts, got, test.want)
		}
		if note := mixedNote(load); !strings.HasPrefix(note, test.generator+" counts refused") {
			t.Errorf("%q does not name %s", note, test.generator)
		}
	}
}

func TestCPUMeasured(t *testing.T) {
	for keepalive, want := range map[bool]string{false: "on new connections", true: "on kept connections"} {
		if got := cpuMeasured(result.Load{Keepalive: keepalive}); got != want {
			t.Errorf("kept %t: %q, want %q", keepalive, got, want)
		}
	}
}

package expect

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"demo-server/bench/result"
)

// rows holds names that contain everything that conditions are made of.
var rows = []string{
	"goroutine", "pool", "pool(50)", "pool(queue=5,workers=10)", "pool × sql", "127.0.0.1:8080", "127.0.0.1", "a.p99", "a",
	"x<y.p99=1",
}

func TestParse(t *testing.T) {
	type parsed struct {
		Row, Figure, Op string
		Want            float64
	}
	for _, test := range []struct {
		text string
		want parsed
	}{
		{"goroutine.failed==0", parsed{"goroutine", "failed", "==", 0}},
		{"goroutine.failed=0", parsed{"goroutine", "failed", "==", 0}},
		{"pool.failed != 10", parsed{"pool", "failed", "!=", 10}},
		{"  pool.failed  >=  10  ", parsed{"pool", "failed", ">=", 10}},
		{"pool(50).p99<2.1s", parsed{"pool(50)", "p99", "<", 2.1}},
		{"pool(50).p99<2.1", parsed{"pool(50)", "p99", "<", 2.1}},
		{"pool(50).p99 <= 300ms", parsed{"pool(50)", "p99", "<=", 0.3}},
		{"pool.longest>1m30s", parsed{"pool", "longest", ">", 90}},
		{"pool.mean>=0", parsed{"pool", "mean", ">=", 0}},
		{"pool(queue=5,workers=10).failed==0", parsed{"pool(queue=5,workers=10)", "failed", "==", 0}},
		{"pool × sql.failed_timeout=0", parsed{"pool × sql", "failed_timeout", "==", 0}},
		{"127.0.0.1:8080.p50<1s", parsed{"127.0.0.1:8080", "p50", "<", 1}},
		{"127.0.0.1.p50<1s", parsed{"127.0.0.1", "p50", "<", 1}},
		{"a.p99<1s", parsed{"a", "p99", "<", 1}},
		{"a.p99.p99<1s", parsed{"a.p99", "p99", "<", 1}},
		{"x<y.p99=1.p99<1s", parsed{"x<y.p99=1", "p99", "<", 1}},
		{"pool.requests_per_second>=24.9", parsed{"pool", "requests_per_second", ">=", 24.9}},
		{"pool.refused_share<10%", parsed{"pool", "refused_share", "<", 0.1}},
		{"pool.refused_share<0.1", parsed{"pool", "refused_share", "<", 0.1}},
		{"pool.refused_share<=100%", parsed{"pool", "refused_share", "<=", 1}},
		{"pool.bytes_per_request_in_flight<64KiB", parsed{"pool", "bytes_per_request_in_flight", "<", 65536}},
		{"pool.peak.resident_bytes<=1000", parsed{"pool", "peak.resident_bytes", "<=", 1000}},
		{"pool.peak.threads<=10", parsed{"pool", "peak.threads", "<=", 10}},
		{"pool.cpu_seconds_per_request<150us", parsed{"pool", "cpu_seconds_per_request", "<", 0.00015}},
		{"pool.server_cores<1.5", parsed{"pool", "server_cores", "<", 1.5}},
	} {
		c, err := Parse(test.text, rows)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		if c.Text != test.text {
			t.Errorf("%q is kept as %q", test.text, c.Text)
		}
		if diff := cmp.Diff(test.want, parsed{c.Row, c.figure.name, c.op, c.want}); diff != "" {
			t.Errorf("%q:\n%s", test.text, diff)
		}
	}
}

func TestParseMistakes(t *testing.T) {
	const form = "not a condition; want ROW.FIGURE, a comparison and a value, such as pool(50).p99<2.1s"
	for text, want := range map[string]string{
		"":                                form,
		"pool":                            form,
		"pool.p99":                        form,
		"pool.":                           form,
		"pool.<1s":                        form,
		"pool<1s":                         form,
		"pool(queue=5,workers=10)<1":      form,
		"failed==0":                       form,
		".failed==0":                      form,
		"pool.failed==":                   "failed: has no value; want a whole number, such as 0",
		"pool.p99=<1s":                    `operator "=<" is not known; known: ==, !=, <, <=, >, >=`,
		"pool.failed===0":                 `operator "===" is not known; known: ==, !=, <, <=, >, >=`,
		"pool.p99<1x":                     `p99: "1x" does not fit; want a duration, such as 300ms or 2.1s`,
		"pool.p99<-1s":                    `p99: "-1s" does not fit; want a duration, such as 300ms or 2.1s`,
		"pool.p99<NaN":                    `p99: "NaN" does not fit; want a duration, such as 300ms or 2.1s`,
		"pool.p99<Inf":                    `p99: "Inf" does not fit; want a duration, such as 300ms or 2.1s`,
		"pool.failed<2s":                  `failed: "2s" does not fit; want a whole number, such as 0`,
		"pool.failed<0.5":                 `failed: "0.5" does not fit; want a whole number, such as 0`,
		"pool.failed<-1":                  `failed: "-1" does not fit; want a whole number, such as 0`,
		"pool.peak.resident_bytes<64KB":   `peak.resident_bytes: "64KB" does not fit; want a size in bytes or with KiB, MiB or GiB, such as 64KiB`,
		"pool.refused_share<10":           `refused_share: "10" does not fit; want a share from 0% to 100%, or from 0 to 1`,
		"pool.refused_share<101%":         `refused_share: "101%" does not fit; want a share from 0% to 100%, or from 0 to 1`,
		"pool.requests_per_second>50/s":   `requests_per_second: "50/s" does not fit; want a number, such as 24.9`,
		"pool.requests_per_second > many": `requests_per_second: "many" does not fit; want a number, such as 24.9`,
	} {
		if _, err := Parse(text, rows); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestParseUnknown(t *testing.T) {
	for text, want := range map[string]struct{ what, name string }{
		"goroutin.failed==0":                 {"row", "goroutin"},
		"goroutin.faild==0":                  {"row", "goroutin"},
		"pool(5).p99<2s":                     {"row", "pool(5)"},
		"pool(5).peak.threads<2":             {"row", "pool(5)"},
		"pool(queue=5).failed==0":            {"row", "pool(queue=5)"},
		"pool x sql.failed == 0":             {"row", "pool x sql"},
		"127.0.0.1:80.p99<2s":                {"row", "127.0.0.1:80"},
		"pool.p9<2s":                         {"figure", "p9"},
		"pool.peak.at_seconds<2s":            {"figure", "peak.at_seconds"},
		"pool.peak<2":                        {"figure", "peak"},
		"pool.p99.seconds<2":                 {"figure", "p99.seconds"},
		"pool.P99<2s":                        {"figure", "P99"},
		"pool(queue=5,workers=10).fail == 0": {"figure", "fail"},
	} {
		_, err := Parse(text, rows)
		var unknown *UnknownError
		if !errors.As(err, &unknown) {
			t.Errorf("%q: %v, want a name that is not known", text, err)
			continue
		}
		if unknown.What != want.what || unknown.Name != want.name {
			t.Errorf("%q: %s %q is not known, want %s %q", text, unknown.What, unknown.Name, want.what, want.name)
		}
		known := rows
		if want.what == "figure" {
			known = Figures()
		}
		if diff := cmp.Diff(known, unknown.Known); diff != "" {
			t.Errorf("%q: known:\n%s", text, diff)
		}
		if !strings.Contains(err.Error(), want.name) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestFigures compares the list with the JSON that docs/reference/bench-result.md describes.
func TestFigures(t *testing.T) {
	want := strings.Fields(`requests_per_second ceiling_per_second requests_per_second_low requests_per_second_high
		mean p50 p90 p99 longest answered refused unfinished failed failed_connect failed_timeout failed_broken
		failed_status failed_body refused_share steady_seconds took_seconds cpu_seconds_per_request
		context_switches_per_request bytes_per_request_in_flight server_cores client_cores other_cores
		idle_resident_bytes peak.resident_bytes peak.cpu_seconds peak.threads peak.context_switches peak.open_files
		peak.goroutines peak.in_flight peak.queued peak.connections peak.accept_queue peak.busy peak.completed`)
	if diff := cmp.Diff(want, Figures()); diff != "" {
		t.Error(diff)
	}
}

// measured returns a result with one row for each way in which a row can end.
func measured() *result.Result {
	once := []result.Repeat{{Round: 1}}
	row := result.Row{Name: "pool", Repeats: once}
	row.Total.Failed, row.Total.Answered = 2, 1234567
	row.Total.PerSecond, row.Total.RefusedShare = result.Number(49.9999996), result.Number(0.125)
	row.Total.P50 = &result.Latency{Seconds: 2.004}
	row.Total.P99, row.Total.Mean = &result.Latency{Seconds: 2.5, Beyond: true}, &result.Latency{Seconds: 0.146645764, Beyond: true}
	row.Total.CPUPerRequest, row.Total.BytesPerInFlight = result.Number(87.2e-6), result.Number(-24500)
	row.Total.IdleBytes = result.Number(65537)
	row.Total.Peak = &result.Sample{Threads: result.Number(9)}
	return &result.Result{
		Rows: []result.Row{
			row,
			{Name: "bare", Repeats: once},
			{Name: "broken", Repeats: once, Failure: "died under load: signal: killed\nlast lines of its log"},
			{Name: "interrupted"},
		},
		Left: []result.Left{{Name: "single", Why: "it would take 2h46m40s (1 at a time / 2s)"}},
	}
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		text string
		met  bool
		why  string
	}{
		{"pool.failed==2", true, "failed is 2"},
		{"pool.failed==0", false, "failed is 2"},
		{"pool.failed!=0", true, "failed is 2"},
		{"pool.failed!=2", false, "failed is 2"},
		{"pool.failed<2", false, "failed is 2"},
		{"pool.failed<=2", true, "failed is 2"},
		{"pool.failed>2", false, "failed is 2"},
		{"pool.failed>=2", true, "failed is 2"},
		{"pool.answered>=1234568", false, "answered is 1234567"},
		{"pool.p50<2.1s", true, "p50 is 2.004s"},
		{"pool.p50<2s", false, "p50 is 2.004s"},
		{"pool.p50=2.004s", true, "p50 is 2.004s"},

		// Equality is exact, and rounding a figure never changes the answer.
		{"pool.requests_per_second>49", true, "requests_per_second is 50"},
		{"pool.requests_per_second==50", false, "requests_per_second is 49.9999996"},
		{"pool.requests_per_second>=50", false, "requests_per_second is 49.9999996"},

		{"pool.refused_share<10%", false, "refused_share is 12.5%"},
		{"pool.cpu_seconds_per_request<100us", true, "cpu_seconds_per_request is 87.2µs"},
		{"pool.bytes_per_request_in_flight<1KiB", true, "bytes_per_request_in_flight is -24.5 kB"},
		{"pool.idle_resident_bytes<=64KiB", false, "idle_resident_bytes is 65.54 kB"},
		{"pool.peak.threads<9", false, "peak.threads is 9"},

		// A latency known to exceed 2.5 s exceeds anything shorter; nothing else is known.
		{"pool.p99<2s", false, "p99 is longer than 2.5s"},
		{"pool.p99<=2.5s", false, "p99 is longer than 2.5s"},
		{"pool.p99==2s", false, "p99 is longer than 2.5s"},
		{"pool.p99!=2s", true, "p99 is longer than 2.5s"},
		{"pool.p99>2s", true, "p99 is longer than 2.5s"},
		{"pool.p99>2.5s", true, "p99 is longer than 2.5s"},
		{"pool.p99>=2.5s", true, "p99 is longer than 2.5s"},
		{"pool.p99<3s", false, "p99 is only known to be longer than 2.5s"},
		{"pool.p99>3s", false, "p99 is only known to be longer than 2.5s"},
		{"pool.p99>=3s", false, "p99 is only known to be longer than 2.5s"},
		{"pool.p99==3s", false, "p99 is only known to be longer than 2.5s"},
		{"pool.p99!=3s", false, "p99 is only known to be longer than 2.5s"},

		{"pool.mean<3s", false, "mean is only known to be longer than 146.6ms"},
		{"pool.mean<146.645ms", false, "mean is longer than 146.65ms"},

		{"bare.p99<3s", false, "p99 was not measured"},
		{"bare.peak.threads<3", false, "peak.threads was not measured"},
		{"pool.peak.goroutines!=3", false, "peak.goroutines was not measured"},
		{"broken.failed==0", false, "the row failed: died under load: signal: killed"},
		{"interrupted.failed==0", false, "the row was not measured"},
		{"single.failed==0", false, "the row was left out: it would take 2h46m40s (1 at a time / 2s)"},
		{"flask.failed==0", false, "the row was not measured"},
	} {
		c, err := Parse(test.text, []string{"pool", "bare", "broken", "interrupted", "single", "flask"})
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		want := result.Expectation{Text: test.text, Met: test.met, Why: test.why}
		if diff := cmp.Diff(want, c.Check(measured())); diff != "" {
			t.Errorf("%q:\n%s", test.text, diff)
		}
	}
}

// FuzzParse checks that a parsed condition names an existing row and figure, and that spaces around its parts do not
// change it.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"goroutine.failed==0", "pool(50).p99<2.1s", "pool(queue=5,workers=10).refused_share <= 10%", "x<y.p99=1.p99<1s",
		"pool.peak.resident_bytes>64KiB", "pool.p99", "nothing.p99<=>1", "a.p99.p99=5",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text, rows)
		if err != nil {
			if err.Error() == "" {
				t.Errorf("%q: an error without a text", text)
			}
			return
		}
		if !(c.want >= 0) {
			t.Errorf("%q: the value is %g", text, c.want)
		}
		value := strings.TrimLeftFunc(strings.TrimPrefix(strings.TrimSpace(text), c.Row+"."+c.figure.name), func(r rune) bool {
			return unicode.IsSpace(r) || strings.ContainsRune(operatorRunes, r)
		})
		again, err := Parse(" "+c.Row+"."+c.figure.name+" "+c.op+" "+value+" ", rows)
		if err != nil || again.Row != c.Row || again.figure.name != c.figure.name || again.op != c.op || again.want != c.want {
			t.Errorf("%q is %+v, and with spaces %+v, %v", text, c, again, err)
		}
		c.Check(measured())
	})
}

package fault

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

var testCaps = Caps{MaxDelay: time.Minute, MaxSize: 10 << 20, Kinds: []string{"sleep", "cpu", "sql"}}

// Each case is a valid query, and the same query printed from its Spec.
func TestParseQuery(t *testing.T) {
	for query, want := range map[string]string{
		"":                                      "",
		"delay=300ms":                           "delay=300ms",
		"delay=0":                               "delay=0s",
		"delay=60s":                             "delay=1m",
		"delay=uniform(1s,3s)":                  "delay=uniform(1s,3s)",
		"delay=uniform(1s%2C3s)":                "delay=uniform(1s,3s)",
		"delay=exp(2s)":                         "delay=exp(2s)",
		"delay=lognormal(2s,0.3)":               "delay=lognormal(2s,0.3)",
		"delay=lognormal(2s,0)":                 "delay=lognormal(2s,0)",
		"delay=100ms:90,2s:10":                  "delay=100ms:90,2s:10",
		"delay=uniform(1s,3s):20,exp(2s):5":     "delay=uniform(1s,3s):20,exp(2s):5",
		"work=cpu":                              "work=cpu",
		"work=cpu:50,sql:25":                    "work=cpu:50,sql:25",
		"status=503":                            "status=503",
		"status=503:100":                        "status=503",
		"status=503:10,429:5":                   "status=503:10,429:5",
		"status=503:0.1,429:0.000001":           "status=503:0.1,429:0.000001",
		"status=503:33.3,429:33.3,500:33.4":     "status=503:33.3,429:33.3,500:33.4",
		"status=503:0":                          "status=503:0",
		"size=0":                                "size=0",
		"size=64KiB":                            "size=64KiB",
		"size=1025":                             "size=1025",
		"size=10MiB:1,2048:2":                   "size=10MiB:1,2KiB:2",
		"drip=5":                                "drip=5",
		"abort=reset":                           "abort=reset",
		"abort=close:1,hang:2,none:97":          "abort=close:1,hang:2,none:97",
		"retry_after=3":                         "retry_after=3",
		"%64elay=1%73&&status=200":              "delay=1s&status=200",
		"abort=hang&delay=1s":                   "delay=1s&abort=hang",
		"after=10KiB&abort=reset&size=64KiB":    "size=64KiB&abort=reset&after=10KiB",
		"abort=close&after=0&size=1&status=503": "status=503&size=1&abort=close&after=0",
		"abort=reset:5&after=1&size=2&drip=9":   "size=2&drip=9&abort=reset:5&after=1",
		"abort=none&drip=5&status=503":          "status=503&drip=5&abort=none",
		"abort=reset:50,none:50&status=503":     "status=503&abort=reset:50,none:50",
		"status=204&size=0":                     "status=204&size=0",
		"status=204:50&size=9&drip=2":           "status=204:50&size=9&drip=2",

		// Clients use such parameters to bypass caches, or for other servers.
		"x=1":                    "",
		"_=123":                  "",
		"x":                      "",
		"x=1&x=2":                "",
		"utm_source=a%20b&t=1&q": "",
		"delay=1s&time=2":        "delay=1s",
	} {
		got, err := ParseQuery(query, testCaps)
		if err != nil {
			t.Errorf("%s: %v", query, err)
		} else if got.String() != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

// Each case is a query with a mistake, and its error.
func TestMistakes(t *testing.T) {
	const longer = "is too long: 1 in 1000 takes more than "
	const noWeight = "has no weight among several; write "
	const noPercentage = "has a weight that is not a percentage; want 0 to 100, with at most 6 decimals"
	const distributions = "want uniform(LOWEST,HIGHEST), exp(MEAN) or lognormal(MEDIAN,SIGMA)"
	const known = "known: delay, work, status, size, drip, abort, after, retry_after"
	for _, c := range []struct{ query, want string }{
		{"delay=2h", "delay=2h is too long; want at most 1m"},
		{"delay=-1s", "delay=-1s is negative; want a duration from 0s to 1m"},
		{"delay=2", "delay=2 has no unit; write 2s"},
		{"delay=300", "delay=300 has no unit; write 300ms or 300s"},
		{"delay=", `delay="" is not a duration; want at most 1m, such as 2s or 300ms`},
		{"delay", `delay="" is not a duration; want at most 1m, such as 2s or 300ms`},
		{"delay=2+s", `delay="2 s" is not a duration; want at most 1m, such as 2s or 300ms`},
		{"delay=%0A%FF", `delay="\n\xff" is not a duration; want at most 1m, such as 2s or 300ms`},
		{"delay=1s,2s", "delay=1s " + noWeight + "1s:P, where P is its percentage"},
		{"delay=1s:50,2s", "delay=2s " + noWeight + "2s:P, where P is its percentage"},
		{"delay=1s:60,2s:40.000001", "delay=1s:60,2s:40.000001 adds up to more than 100 percent; want at most 100 in all"},
		{"delay=1s:101", "delay=1s:101 " + noPercentage},
		{"delay=1s:-1", "delay=1s:-1 " + noPercentage},
		{"delay=1s:NaN", "delay=1s:NaN " + noPercentage},
		{"delay=1s:", "delay=1s: " + noPercentage},
		{"delay=1s:0.0000001", "delay=1s:0.0000001 " + noPercentage},
		{"delay=normal(1s,2s)", "delay=normal(1s,2s) is not a distribution; " + distributions},
		{"delay=exp(1s,2s)", "delay=exp(1s,2s) is not a distribution; " + distributions},
		{"delay=uniform(1s)", "delay=uniform(1s) is not a distribution; " + distributions},
		{"delay=exp(1s", "delay=exp(1s is not a distribution; " + distributions},
		{"delay=uniform(1s,2h)", "delay=uniform(1s,2h) is wrong: 2h is too long; want at most 1m"},
		{"delay=uniform(3s,1s)", "delay=uniform(3s,1s) ends before it begins; write uniform(1s,3s)"},
		{"delay=exp(x)", "delay=exp(x) is wrong: x is not a duration; want at most 1m, such as 2s or 300ms"},
		{"delay=exp(20s)", "delay=exp(20s) " + longer + "138s; want those to take at most 1m"},
		{"delay=lognormal(2s,2)", "delay=lognormal(2s,2) " + longer + "966s; want those to take at most 1m"},
		{"delay=lognormal(2s,-1)", "delay=lognormal(2s,-1) has -1 for its sigma; want 0 to 10, with at most 6 decimals"},
		{"delay=lognormal(0s,11)", "delay=lognormal(0s,11) has 11 for its sigma; want 0 to 10, with at most 6 decimals"},
		{"work=gpu", "work=gpu cannot be asked for; want one of sleep, cpu, sql"},
		{"status=101", "status=101 is not a final status; want 200 to 599"},
		{"status=600", "status=600 is not a final status; want 200 to 599"},
		{"status=OK", "status=OK is not a final status; want 200 to 599"},
		{"status=503:10,delay=100ms:50", "status=delay=100ms holds another parameter; separate parameters by &"},
		{"size=11MiB", "size=11MiB is too large; want at most 10MiB"},
		{"size=10485761", "size=10485761 is too large; want at most 10MiB"},
		{"size=99999999999999999999GiB", "size=99999999999999999999GiB is too large; want at most 10MiB"},
		{"size=-1", "size=-1 is not a size; want at most 10MiB, in bytes or with KiB, MiB or GiB"},
		{"size=64KB", "size=64KB is not a size; want at most 10MiB, in bytes or with KiB, MiB or GiB"},
		{"drip=1001", "drip=1001 is out of range; want a whole number from 0 to 1000"},
		{"abort=explode", "abort=explode is not known; known: none, reset, close, hang"},
		{"retry_after=1d", "retry_after=1d is out of range; want a whole number from 0 to 86400"},

		{"drip=5&abort=reset", "drip has no effect with abort=reset"},
		{"drip=5&abort=close:40,hang:60", "drip has no effect with abort=close"},
		{"status=503&size=9&retry_after=3&abort=hang",
			"status has no effect with abort=hang\nsize has no effect with abort=hang\nretry_after has no effect with abort=hang"},
		{"drip=5&size=9&abort=reset&after=3", "drip has no effect with abort=reset"},
		{"after=3", "after has no effect without abort=reset or abort=close"},
		{"after=3&size=9&abort=hang:50", "after has no effect without abort=reset or abort=close"},
		{"after=3&abort=reset", "after needs the size of the body; write it as in size=64KiB&abort=reset&after=10KiB"},
		{"after=3&size=9:50&abort=reset", "after needs the size of the body; write it as in size=64KiB&abort=reset&after=10KiB"},
		{"after=9&size=9&abort=reset", "after=9 is not below the size of the body, 9"},
		{"after=1:50,9:50&size=20:50,9:50&abort=close", "after=9 is not below the size of the body, 9"},
		{"status=204&size=9", "size has no effect with status=204, which has no body"},
		{"status=304:50,204:50&drip=3", "drip has no effect with status=304, which has no body"},

		{"delay=1s&delay=1s", "delay is given twice; want it once"},
		{"delya=2s", "delya is not known; " + known},
		{"Delay=2s", "Delay is not known; " + known},
		{"dely=2s", "dely is not known; " + known},
		{"retry-after=2", "retry-after is not known; " + known},
		{"x=%zz", "x=%zz is not percent-encoded; want %XX, and %25 for the sign itself"},
		{"%=1", "% is not percent-encoded; want %XX, and %25 for the sign itself"},
		{"work=" + strings.Repeat("x", 99), "work=" + strings.Repeat("x", 40) + "... cannot be asked for; want one of sleep, cpu, sql"},

		{"delay=2h&x=1&status=99",
			"delay=2h is too long; want at most 1m\nstatus=99 is not a final status; want 200 to 599"},
	} {
		got, err := ParseQuery(c.query, testCaps)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.query, err, c.want)
		}
		if got.String() != "" {
			t.Errorf("%s: a Spec beside the error: %s", c.query, got)
		}
	}
}

// TestManyMistakes checks that the error for one query is limited in length.
func TestManyMistakes(t *testing.T) {
	_, err := ParseQuery(strings.Repeat("size&", 1000), testCaps)
	if lines := strings.Count(err.Error(), "\n") + 1; lines != maxMistakes {
		t.Errorf("%d lines, want %d", lines, maxMistakes)
	}
}

func TestParseSetting(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "",
		"status=503:10&delay=100ms:50":   "delay=100ms:50&status=503:10",
		"delay=uniform(1s,3s):10,2s:5":   "delay=uniform(1s,3s):10,2s:5",
		"status=503:10,delay=100ms:50":   "status=delay=100ms holds another parameter; separate parameters by &",
		"status=503%3A10":                "status=503%3A10 is not a final status; want 200 to 599",
		"x=1":                            "x is not known; known: delay, work, status, size, drip, abort, after, retry_after",
		"status=503&":                    "status=503",
		"status=503&status=503&delay=2h": "status is given twice; want it once\ndelay=2h is too long; want at most 1m",
	} {
		s, err := ParseSetting(text, testCaps)
		got := s.String()
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}

// TestOver checks that a request's parameters win, and that the server's setting applies to the rest.
func TestOver(t *testing.T) {
	for _, c := range []struct{ request, setting, want string }{
		{"", "", ""},
		{"", "status=503:10", "status=503:10"},
		{"status=200", "", "status=200"},
		{"status=200", "status=503:10", "status=200"},
		{"abort=none", "delay=1s&abort=reset:50", "delay=1s&abort=none"},
		{"status=503:10", "status=429:5", "status=503:10,429:4.5"},
		{"status=503:10", "status=429", "status=503:10,429:90"},
		{"status=503:0", "status=429:5", "status=503:0,429:5"},
		{"delay=1s:33.333333", "delay=2s:50,3s:50", "delay=1s:33.333333,2s:33.333333,3s:33.333334"},
	} {
		request, setting := mustParse(t, c.request), mustParse(t, c.setting)
		if got := request.Over(setting).String(); got != c.want {
			t.Errorf("%q over %q: got %s, want %s", c.request, c.setting, got, c.want)
		}
		if request.String() != c.request || setting.String() != c.setting {
			t.Errorf("%q over %q: changed to %s, %s", c.request, c.setting, request, setting)
		}
	}
}

func mustParse(t testing.TB, query string) Spec {
	t.Helper()
	s, err := ParseQuery(query, testCaps)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPlan checks plans without random parts, and the defaults.
func TestPlan(t *testing.T) {
	defaults := Plan{Delay: 2 * time.Second, Size: -1}
	for query, want := range map[string]Plan{
		"":                           defaults,
		"x=1":                        defaults,
		"delay=0":                    {Size: -1},
		"work=cpu":                   {Delay: 2 * time.Second, Work: "cpu", Size: -1},
		"status=503":                 {Delay: 2 * time.Second, Status: 503, Size: -1},
		"delay=1s&size=5&drip=5":     {Delay: time.Second, Size: 5, Drip: 5},
		"retry_after=3":              {Delay: 2 * time.Second, Size: -1, RetryAfter: 3},
		"abort=close":                {Delay: 2 * time.Second, Size: -1, Abort: Close},
		"abort=hang&delay=1s":        {Delay: time.Second, Size: -1, Abort: Hang},
		"status=204":                 {Delay: 2 * time.Second, Status: 204},
		"abort=reset&size=9&after=0": {Delay: 2 * time.Second, Size: 9, Abort: Reset, Cut: true},
		"abort=close&size=9&after=5&status=204:100,200:0": {Delay: 2 * time.Second, Status: 204, Abort: Close},
		"abort=close&size=9&after=5&status=500": {
			Delay: 2 * time.Second, Size: 9, Status: 500, Abort: Close, Cut: true, After: 5,
		},
		"status=205": {Delay: 2 * time.Second, Status: 205},
		"status=304": {Delay: 2 * time.Second, Status: 304},
	} {
		if diff := cmp.Diff(want, mustParse(t, query).Draw(nil, defaults)); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
}

// TestAbortOverDrip checks that a share of dripping replies may be aborted, after the whole delay.
func TestAbortOverDrip(t *testing.T) {
	setting, request := mustParse(t, "drip=5&delay=3s"), mustParse(t, "abort=reset")
	want := Plan{Delay: 3 * time.Second, Size: -1, Abort: Reset}
	if diff := cmp.Diff(want, request.Over(setting).Draw(nil, Plan{Size: -1})); diff != "" {
		t.Error(diff)
	}
}

// TestSeed checks that the same seed gives the same plans, and another seed other ones.
func TestSeed(t *testing.T) {
	s := mustParse(t, "delay=exp(2s)&status=503:10,429:5&abort=reset:1")
	plans := func(seed uint64) (all []Plan) {
		r := rand.New(rand.NewPCG(seed, 0))
		for range 1000 {
			all = append(all, s.Draw(r, Plan{}))
		}
		return all
	}
	if diff := cmp.Diff(plans(1), plans(1)); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(plans(1), plans(2)) {
		t.Error("another seed gives the same plans")
	}
}

const draws = 200_000

// near reports whether count is within five standard deviations of a binomial distribution's mean.
func near(count int, probability float64) bool {
	mean := draws * probability
	return math.Abs(float64(count)-mean) <= 5*math.Sqrt(mean*(1-probability))
}

// TestWeights checks that each alternative comes as often as its weight says, and the default for the rest.
func TestWeights(t *testing.T) {
	s := mustParse(t, "status=503:10,429:5,500:0.1,502:0").Over(mustParse(t, "status=404:50"))
	r := rand.New(rand.NewPCG(1, 2))
	counts := map[int]int{}
	for range draws {
		counts[s.Draw(r, Plan{Status: 200}).Status]++
	}
	for status, want := range map[int]float64{503: 0.1, 429: 0.05, 500: 0.001, 502: 0, 404: 0.849 / 2, 200: 0.849 / 2} {
		if !near(counts[status], want) {
			t.Errorf("%d: %d of %d, want %g", status, counts[status], draws, want)
		}
	}
}

// TestQuantiles compares the share of delays below each quantile with theory.
func TestQuantiles(t *testing.T) {
	for query, quantile := range map[string]func(p float64) float64{
		"delay=uniform(1s,3s)":    func(p float64) float64 { return 1 + 2*p },
		"delay=exp(2s)":           func(p float64) float64 { return -2 * math.Log1p(-p) },
		"delay=lognormal(2s,0.3)": func(p float64) float64 { return 2 * math.Exp(0.3*math.Sqrt2*math.Erfinv(2*p-1)) },
		"delay=lognormal(1s,1.2)": func(p float64) float64 { return math.Exp(1.2 * math.Sqrt2 * math.Erfinv(2*p-1)) },
	} {
		s := mustParse(t, query)
		r := rand.New(rand.NewPCG(1, 2))
		below := map[float64]int{0.001: 0, 0.01: 0, 0.1: 0, 0.25: 0, 0.5: 0, 0.75: 0, 0.9: 0, 0.99: 0}
		for range draws {
			seconds := s.Draw(r, Plan{}).Delay.Seconds()
			for p := range below {
				if seconds < quantile(p) {
					below[p]++
				}
			}
		}
		for p, count := range below {
			if !near(count, p) {
				t.Errorf("%s: %d of %d are below the quantile of %g", query, count, draws, p)
			}
		}
	}
}

// TestRedrawn checks that values above the cap are drawn again, and do not pile up at the cap.
func TestRedrawn(t *testing.T) {
	for _, query := range []string{"delay=exp(8.68s)", "delay=lognormal(2s,1.1)"} {
		s := mustParse(t, query)
		r := rand.New(rand.NewPCG(1, 2))
		top, maxDelay := 0, time.Duration(0)
		for range draws {
			d := s.Draw(r, Plan{}).Delay
			maxDelay = max(maxDelay, d)
			if d > 59*time.Second {
				top++
			}
		}
		if maxDelay > testCaps.MaxDelay {
			t.Errorf("%s: %v", query, maxDelay)
		}
		// About 200 were drawn again. The last second below the cap has about 24 or 11 of its own.
		if top == 0 || top > 60 {
			t.Errorf("%s: %d within the last second below the cap", query, top)
		}
	}
}

// TestNothingKept checks that a Spec does not refer to the query's bytes, which a transport may reuse.
func TestNothingKept(t *testing.T) {
	query := []byte("work=cpu&delay=exp(2s)&status=503:10&abort=reset:5")
	s := mustParse(t, unsafe.String(&query[0], len(query)))
	want := s.String()
	clear(query)
	if got := s.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	mistakes := []byte("work=gpu&delay=2h&x=%zz&delya=1s")
	_, err := ParseQuery(unsafe.String(&mistakes[0], len(mistakes)), testCaps)
	want = err.Error()
	clear(mistakes)
	if got := err.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestEmptyQueryIsFree checks the most frequent query for allocations.
func TestEmptyQueryIsFree(t *testing.T) {
	base := mustParse(t, "status=503:0.000001")
	r := rand.New(rand.NewPCG(1, 2))
	var plan Plan
	allocated := testing.AllocsPerRun(100, func() {
		s, err := ParseQuery("", testCaps)
		if err != nil {
			t.Error(err)
		}
		plan = s.Over(base).Draw(r, plan)
	})
	if allocated != 0 {
		t.Errorf("%g allocations", allocated)
	}
}

// FuzzParseQuery checks that no query causes a panic, that errors are a limited number of printable lines, that a
// printed Spec parses to an equal one, and that no plan is above the caps.
func FuzzParseQuery(f *testing.F) {
	for _, query := range []string{
		"", "x=1", "delay=300ms", "delay=lognormal(2s,0.3):10,uniform(1s,3s):20,exp(2s):5", "delay=100ms:90,2s:10",
		"status=503:10,429:5.000001&retry_after=3", "size=64KiB&drip=5", "work=cpu&abort=reset:1,hang:2", "delya=%31s&%",
		"delay=((,),", "delay=lognormal(0s,10)", "size=64KiB&abort=reset&after=10KiB", "size=2&abort=close:5&after=1&status=204",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		s, err := ParseQuery(query, testCaps)
		if err != nil {
			linesOfText(t, err)
			return
		}
		for name, parse := range map[string]func(string, Caps) (Spec, error){"query": ParseQuery, "setting": ParseSetting} {
			again, err := parse(s.String(), testCaps)
			if err != nil {
				t.Fatalf("%s: %q: %v", name, s, err)
			}
			if diff := cmp.Diff(s, again, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
				t.Fatalf("%s: %q: %s", name, s, diff)
			}
		}
		withinCaps(t, s)
	})
}

// linesOfText checks that an error is a limited number of printable lines.
func linesOfText(t *testing.T, err error) {
	t.Helper()
	lines := strings.Split(err.Error(), "\n")
	if len(lines) > maxMistakes+1 { // one for the path
		t.Fatalf("%d lines", len(lines))
	}
	unprintable := func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsGraphic(r) }
	for _, line := range lines {
		if strings.ContainsFunc(line, unprintable) || len(line) > 1000 {
			t.Fatalf("%q", line)
		}
	}
}

func withinCaps(t *testing.T, s Spec) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for range 10 {
		p := s.Draw(r, Plan{Size: -1})
		if p.Delay < 0 || p.Delay > testCaps.MaxDelay || p.Size > testCaps.MaxSize || p.Drip > maxPieces || p.DripAfter > p.Delay {
			t.Fatalf("%q: %+v", s, p)
		}
	}
}

func BenchmarkParseQuery(b *testing.B) {
	for _, query := range []string{"", "_=123", "delay=300ms", "delay=lognormal(2s,0.3)&status=503:10,429:5"} {
		b.Run(query, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseQuery(query, testCaps); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDraw(b *testing.B) {
	for _, query := range []string{"", "delay=300ms", "delay=lognormal(2s,0.3)&status=503:10,429:5"} {
		b.Run(query, func(b *testing.B) {
			s := mustParse(b, query)
			r := rand.New(rand.NewPCG(1, 2))
			b.ReportAllocs()
			for b.Loop() {
				s.Draw(r, Plan{})
			}
		})
	}
}

func ExampleSpec_Draw() {
	caps := Caps{MaxDelay: time.Minute, MaxSize: 10 << 20}
	setting, _ := ParseSetting("status=503:10&delay=1s", caps)
	request, _ := ParseQuery("delay=300ms&size=64KiB&_=123", caps)
	spec := request.Over(setting)
	fmt.Println(spec)

	r := rand.New(rand.NewPCG(1, 2))
	for range 3 {
		plan := spec.Draw(r, Plan{Delay: 2 * time.Second, Status: 200, Size: -1})
		fmt.Println(plan.Delay, plan.Status, plan.Size)
	}
	// Output:
	// delay=300ms&status=503:10&size=64KiB
	// 300ms 200 65536
	// 300ms 200 65536
	// 300ms 200 65536
}

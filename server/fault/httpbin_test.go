package fault

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestFromPath compares the plan of each route with httpbin's reply.
func TestFromPath(t *testing.T) {
	defaults := Plan{Delay: 3 * time.Second, Size: -1}
	for _, c := range []struct {
		path, query string
		want        Plan
	}{
		{"/delay/2", "", Plan{Delay: 2 * time.Second, Size: -1}},
		{"/delay/0.5", "_=123", Plan{Delay: 500 * time.Millisecond, Size: -1}},
		{"/delay/2/", "", Plan{Delay: 2 * time.Second, Size: -1}},
		{"/drip/", "numbytes=1", Plan{Delay: 2 * time.Second, Status: 200, Size: 1, Drip: 1}},
		{"/delay/300ms", "", Plan{Delay: 300 * time.Millisecond, Size: -1}},
		{"/delay/2", "status=503&size=5", Plan{Delay: 2 * time.Second, Status: 503, Size: 5}},
		{"/status/503", "", Plan{Status: 503}},
		{"/status/503", "delay=1s&size=5", Plan{Delay: time.Second, Status: 503, Size: 5}},
		{"/status/503:0,200", "", Plan{Status: 200}},
		{"/bytes/1024", "seed=1", Plan{Size: 1024}},
		{"/bytes/0", "", Plan{}},
		{"/drip", "", Plan{Delay: 2 * time.Second, Status: 200, Size: 10, Drip: 10}},
		{"/drip", "duration=1.5&delay=0.5&numbytes=5&code=503&x=1",
			Plan{Delay: 2 * time.Second, DripAfter: 500 * time.Millisecond, Status: 503, Size: 5, Drip: 5}},
		{"/drip", "numbytes=1048576", Plan{Delay: 2 * time.Second, Status: 200, Size: 1 << 20, Drip: 1000}},
	} {
		spec, ok, err := FromPath(c.path, c.query, testCaps)
		if !ok || err != nil {
			t.Errorf("%s?%s: %t, %v", c.path, c.query, ok, err)
			continue
		}
		if diff := cmp.Diff(c.want, spec.Draw(rand.New(rand.NewPCG(1, 2)), defaults)); diff != "" {
			t.Errorf("%s?%s: %s", c.path, c.query, diff)
		}
	}
}

func TestOtherPaths(t *testing.T) {
	for _, path := range []string{
		"", "/", "*", "delay/2", "/delay", "/delay/", "/delay/2//", "/delay/2/3", "/delays/2", "/status/", "/bytes",
		"//drip", "/drip//", "/drip/2",
	} {
		if spec, ok, err := FromPath(path, "delay=2h", testCaps); ok || err != nil || spec.String() != "" {
			t.Errorf("%s: %q, %t, %v", path, spec, ok, err)
		}
	}
}

func TestPathMistakes(t *testing.T) {
	for _, c := range []struct{ path, query, want string }{
		{"/delay/61", "", "/delay/61 is too long; want at most 1m"},
		{"/delay/-1", "", "/delay/-1 is not a duration; want at most 1m, such as 2s or 300ms"},
		{"/delay/inf", "", "/delay/inf is not a duration; want at most 1m, such as 2s or 300ms"},
		{"/delay/2", "delay=2s", "delay is given twice; want it once"},
		{"/delay/61", "status=1", "/delay/61 is too long; want at most 1m\nstatus=1 is not a final status; want 200 to 599"},
		{"/status/100", "", "/status/100 is wrong: 100 is not a final status; want 200 to 599"},
		{"/status/200,x", "", "/status/200,x is wrong: x is not a final status; want 200 to 599"},
		{"/status/200:x", "", "/status/200:x is wrong: x is not a weight; want a number with at most 6 decimals"},
		{"/status/200:0", "", "/status/200:0 has no code that can come; want a weight above 0"},
		{"/bytes/10485761", "", "/bytes/10485761 is too large; want at most 10MiB"},
		{"/bytes/x", "", "/bytes/x is not a size; want at most 10MiB, in bytes or with KiB, MiB or GiB"},
		{"/drip", "duration=61", "duration=61 is too long; want at most 1m"},
		{"/drip", "duration=31&delay=30", "delay=30s and duration=31s are too long together; want at most 1m"},
		{"/drip", "numbytes=0", "numbytes=0 is out of range; want 1 to 10MiB"},
		{"/drip", "code=1", "code=1 is not a final status; want 200 to 599"},
		{"/drip", "code=200&code=200", "code is given twice; want it once"},
		{"/drip", "status=503", "status is not known; known: duration, numbytes, code, delay"},
		{"/drip", "num_bytes=3", "num_bytes is not known; known: duration, numbytes, code, delay"},
	} {
		spec, ok, err := FromPath(c.path, c.query, testCaps)
		if !ok || err == nil || err.Error() != c.want {
			t.Errorf("%s?%s:\n got %v\nwant %s", c.path, c.query, err, c.want)
		}
		if spec.String() != "" {
			t.Errorf("%s?%s: a Spec beside the error: %s", c.path, c.query, spec)
		}
	}
}

// TestSmallCaps checks that httpbin's default values obey the caps.
func TestSmallCaps(t *testing.T) {
	for want, caps := range map[string]Caps{
		"delay=0s and duration=2s are too long together; want at most 1s": {MaxDelay: time.Second, MaxSize: 10},
		"numbytes=10 is out of range; want 1 to 9":                        {MaxDelay: time.Minute, MaxSize: 9},
	} {
		if _, _, err := FromPath("/drip", "", caps); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestStatusWeights checks that httpbin's weights are relative, and need not add up to 100.
func TestStatusWeights(t *testing.T) {
	s, _, err := FromPath("/status/200:3,503,429:0.5", "", testCaps)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	counts := map[int]int{}
	for range draws {
		counts[s.Draw(r, Plan{}).Status]++
	}
	for status, want := range map[int]float64{200: 3 / 4.5, 503: 1 / 4.5, 429: 0.5 / 4.5} {
		if !near(counts[status], want) {
			t.Errorf("%d: %d of %d, want %g", status, counts[status], draws, want)
		}
	}
}

// FuzzFromPath checks that no path or query causes a panic, that errors are printable lines, and that no plan is above
// the caps.
func FuzzFromPath(f *testing.F) {
	for _, path := range []string{"/", "/delay/2", "/status/503", "/status/200:3,503,429:0.5", "/bytes/1", "/drip"} {
		for _, query := range []string{"", "delay=1s&size=5", "duration=1.5&delay=0.5&numbytes=5&code=503", "code=%"} {
			f.Add(path, query)
		}
	}
	f.Fuzz(func(t *testing.T, path, query string) {
		s, ok, err := FromPath(path, query, testCaps)
		if err != nil {
			linesOfText(t, err)
		}
		if !ok && (err != nil || s.String() != "") {
			t.Fatalf("%q, %v of another path", s, err)
		}
		withinCaps(t, s)
	})
}

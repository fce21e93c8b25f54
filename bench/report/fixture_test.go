package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"demo-server/bench/result"
)

// article returns a result of `demo-server bench --article --python`, with added rows: a pool that refuses, and
// rows that were cut, untrusted and failed. The figures are made up, but each follows from its queue.
func article() *result.Result {
	started := time.Date(2026, 11, 22, 21, 30, 0, 0, time.UTC)
	r := &result.Result{
		Schema: result.Schema, Version: "v1.2.0 (2f5eba777d8a)", Started: started, TookSeconds: 1892,
		Command: []string{"demo-server", "bench", "--article", "--python", "--row=pool:workers=10,queue=10", "--report=report.html"},
		Machine: result.Machine{
			CPU: "AMD EPYC", Cores: 2, Memory: 8 << 30, System: "linux/amd64", Kernel: "6.18.44", Go: "go1.26.0",
			OpenFiles: 20000, Backlog: 4096,
		},
		Load: result.Load{
			Generator: "builtin", Loop: "closed", Concurrency: 100, Requests: 5000, Repeat: 6, BudgetSeconds: 600, Seed: 1,
			Margin: 0.02,
		},
		Left: []result.Left{{Name: "processes(1)", Why: "it would take 2h46m40s (1 worker / 2s)"}},
		Verdict: []string{
			"goroutine, fasthttp, eventloop and gevent serve the same, 49.88 to 49.98 requests/s: the client is the bound," +
				" which asks for 50 at most.",
			"flask serves 2.1% less than goroutine, though theory predicts 50.",
			"pool(50) serves half of goroutine, as predicted: 50 workers / 2s.",
			"single serves a hundredth of goroutine, as predicted: 1 at a time / 2s.",
			"gunicorn-gthread failed: died under load: it ended with exit status 1",
		},
		Comparisons: []result.Comparison{
			{A: "goroutine", B: "fasthttp", Rounds: 6, Ratio: 0.9996, Low: 0.998, High: 1.001, Confidence: 0.99, Verdict: result.Same},
			{A: "goroutine", B: "pool(50)", Rounds: 6, Ratio: 0.4998, Low: 0.498, High: 0.501, Confidence: 0.99, Verdict: result.Different},
			{A: "goroutine", B: "mine", Rounds: 6, Ratio: 0.983, Low: 0.952, High: 1.015, Confidence: 0.95, Verdict: result.TooFew},
		},
	}
	r.Rows = []result.Row{
		server{name: "goroutine", perSecond: 49.98, base: 14e6, each: 15e3, threads: 9, goroutines: 2, cpu: 0.11e-3}.row(),
		server{name: "fasthttp", perSecond: 49.96, base: 15e6, each: 12e3, threads: 8, goroutines: 1, cpu: 0.09e-3}.row(),
		server{name: "eventloop", perSecond: 49.97, base: 13e6, each: 900, threads: 8, cpu: 0.05e-3}.row(),
		server{name: "pool(50)", places: 50, queue: 1000, bound: "50 workers / 2s", perSecond: 24.98, base: 14e6, each: 15e3,
			threads: 9, goroutines: 2, cpu: 0.12e-3}.row(),
		refusing(server{name: "pool(queue=10,workers=10)", places: 10, queue: 10, bound: "10 workers / 2s", perSecond: 4.99,
			base: 14e6, each: 15e3, threads: 9, goroutines: 2, cpu: 0.31e-3}.row()),
		cut(server{name: "single", places: 1, bound: "1 at a time / 2s", perSecond: 0.4996, base: 12e6, threads: 7, cpu: 0.9e-3}.row()),
		server{name: "flask", kind: result.KindOriginal, perSecond: 48.93, base: 31e6, each: 340e3, threads: 1, threadsEach: 1,
			cpu: 1.9e-3, note: "requests/s -2.1% off the prediction: the work itself took 2.04s where 2s were asked for"}.row(),
		server{name: "gevent", kind: result.KindOriginal, perSecond: 49.88, base: 34e6, each: 27e3, threads: 2, cpu: 0.8e-3}.row(),
		untrusted(server{name: "mine", kind: result.KindAgainst, perSecond: 49.12}.row()),
		{
			Name: "gunicorn-gthread", Kind: result.KindOriginal, About: "gunicorn with threads", Trusted: true,
			Failure: "died under load: it ended with exit status 1\n[2026-11-22 21:48:03 +0000] [714] [ERROR] Exception in worker process\n" +
				"OSError: [Errno 24] Too many open files <socket>",
		},
	}
	return r
}

// A server holds the parameters from which a row's figures follow.
type server struct {
	name, kind, bound, note string
	places, queue           int // 0 for unlimited
	perSecond               float64
	base, each              float64 // bytes
	threads, threadsEach    float64
	goroutines              float64 // per request
	cpu                     float64 // seconds per request
}

const (
	clients  = 100
	requests = 5000
	delay    = 2.0 // seconds
)

// row returns the server under the article's load.
func (s server) row() result.Row {
	row := result.Row{
		Name: s.name, Kind: s.kind, Mode: s.name, Work: "sleep", About: "blocks each request for 2s", Choose: "for what blocks", Delay: result.Number(delay),
		Places: s.places, Bound: s.bound, Trusted: true,
	}
	if s.kind == "" {
		row.Kind = result.KindMode
	}
	if s.note != "" {
		row.Notes = []string{s.note}
	}
	running := clients
	if s.places > 0 {
		running = min(clients, s.places)
	}
	wait := delay * clients / float64(running)
	row.Total = result.Figures{
		PerSecond: &s.perSecond, Ceiling: result.Number(clients / delay), LowSecond: result.Number(s.perSecond * 0.999),
		HighSecond: result.Number(s.perSecond * 1.001),
		Mean:       exactly(wait + 0.003), P50: exactly(wait + 0.002), P90: exactly(wait + 0.005), P99: exactly(wait + 0.018),
		Longest: exactly(wait + 0.048), Counts: result.Counts{Answered: 6 * requests}, RefusedShare: result.Number(0),
		SteadySeconds: 588, TookSeconds: 602,
	}
	for i, percent := range []float64{0, 1, 5, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 100} {
		least := min(wait, delay*float64(1+i)) // the first round does not queue
		point := result.Point{Percent: percent, Latency: *exactly(least + 0.0004*math.Pow(1.44, float64(i)))}
		row.Curve = append(row.Curve, point)
	}
	if row.Kind != result.KindAgainst {
		row.Prediction = &result.Figures{
			PerSecond: result.Number(float64(running) / delay), Ceiling: result.Number(clients / delay),
			Mean: exactly(wait), P50: exactly(wait), P90: exactly(wait), P99: exactly(wait), Longest: exactly(wait),
		}
		row.Total.CPUPerRequest = &s.cpu
		row.Total.ServerCores, row.Total.ClientCores = result.Number(s.cpu*s.perSecond), result.Number(0.02)
		row.Total.IdleBytes = &s.base
		if s.each > 0 {
			row.Total.BytesPerInFlight = &s.each
		}
	}
	row.Series = s.series(row.Kind, running)
	row.Total.Peak = peak(row.Series)
	for round := range 6 {
		repeat := result.Repeat{Round: round + 1, Figures: row.Total}
		repeat.Answered = requests
		row.Repeats = append(row.Repeats, repeat)
	}
	row.Audits = []result.Audit{{
		Name: "Little's law, clients", Left: 99.8, Right: 100,
		Text: "99.8 requests were waited for at a time, and throughput times latency is 100.0",
	}}
	return row
}

// series returns 10 s of samples at 10 per second. Replies come together every 2 s, and then the next requests start.
func (s server) series(kind string, running int) (samples []result.Sample) {
	random := rand.New(rand.NewPCG(uint64(len(s.name)), 7))
	for i := range 101 {
		at := float64(i)/10 + 0.002*random.Float64()
		rounds := math.Floor(at / delay)
		sample := result.Sample{
			At: at, Busy: result.Number(clients), Completed: result.Number(rounds * float64(running)),
		}
		if kind != result.KindAgainst {
			rest := float64(clients - running)
			inServer := float64(running) + min(rest, float64(s.queue))
			full := min(1, at/0.3)
			sample.Resident = result.Number(s.base + full*inServer*s.each)
			sample.Threads = result.Number(s.threads + math.Round(full*inServer*s.threadsEach))
			sample.CPU = result.Number(rounds * float64(running) * s.cpu)
			sample.OpenFiles = result.Number(12 + inServer)
			if kind == result.KindMode {
				sample.Goroutines = result.Number(8 + inServer*s.goroutines)
				sample.InFlight = result.Number(running)
				sample.Queued = result.Number(min(rest, float64(s.queue)))
				sample.AcceptQueue = result.Number(max(0, rest-float64(s.queue)))
			}
		}
		samples = append(samples, sample)
	}
	return samples
}

// refusing returns the row with a full queue.
func refusing(row result.Row) result.Row {
	row.Settings = map[string]string{"workers": "10", "queue": "10"}
	row.Total.Mean, row.Total.P50, row.Total.P90 = exactly(3.99), exactly(4.001), exactly(4.002)
	row.Total.P99, row.Total.Longest = exactly(4.003), exactly(4.012)
	row.Total.Refused, row.Total.RefusedShare = 412_345, result.Number(0.932)
	for i := range row.Curve {
		row.Curve[i].Seconds = min(row.Curve[i].Seconds, 4+0.001*float64(i))
	}
	for i := range row.Series {
		row.Series[i].AcceptQueue = result.Number(0)
	}
	row.Total.Peak = peak(row.Series)
	row.Notes = []string{"share refused 93.2% instead of 95.1% off the prediction: 412345 tries were refused, and each took time of" +
		" the client, the server and the queue"}
	return row
}

// cut returns the row with a measurement that ended before its replies came.
func cut(row result.Row) result.Row {
	const after = 60
	row.Cut = true
	row.Total.Answered, row.Total.Unfinished = 6*30, 6*100
	row.Total.Mean = &result.Latency{Seconds: 51.2, Beyond: true}
	for _, l := range []**result.Latency{&row.Total.P50, &row.Total.P90, &row.Total.P99, &row.Total.Longest} {
		*l = &result.Latency{Seconds: after, Beyond: true}
	}
	for i := range row.Curve {
		point := &row.Curve[i]
		point.Latency = *exactly(min(after, 2*math.Pow(2, float64(i))))
		point.Beyond = point.Seconds == after
	}
	row.Audits = append(row.Audits, result.Audit{
		Name: "accept queue", Left: 99, Right: 99,
		Text: "99.0 of the requests that the clients waited for had not reached the server, and the accept queue held 99.0",
	})
	row.Notes = []string{
		"measured for 1m0s, where all of its 5000 requests would take 2h46m40s",
		"99.0 of the requests that the clients waited for had not reached the server, and the accept queue held 99.0",
	}
	return row
}

// untrusted returns the row with a broken audit.
func untrusted(row result.Row) result.Row {
	row.About = "a server at http://127.0.0.1:8080/"
	row.Delay = nil
	row.Trusted = false
	row.Why = "nothing is known of this server"
	row.Total.Counts = result.Counts{Answered: 29_990, Failed: 10, Timeout: 7, Broken: 3}
	text := "88.1 requests were waited for at a time, and throughput times latency is 98.2"
	row.Audits = []result.Audit{{Name: "Little's law, clients", Left: 88.1, Right: 98.2, Broken: true, Text: text}}
	row.Notes = []string{"failed: 7 had no reply in time, 3 lost their connection", "not trustworthy: " + text}
	return row
}

func peak(samples []result.Sample) *result.Sample {
	last := samples[len(samples)-1]
	return &last
}

func exactly(seconds float64) *result.Latency { return &result.Latency{Seconds: seconds} }

// cost returns a result of `demo-server bench cost`.
func cost() *result.Result {
	r := article()
	r.Command, r.Rows, r.Left, r.Comparisons, r.Verdict = []string{"demo-server", "bench", "cost"}, nil, nil, nil, nil
	r.Load = result.Load{}
	for _, c := range []struct {
		name                        string
		each, goroutines, late, cpu float64
	}{
		{"goroutine", 17_250, 2, 0.051, 12.3e-6}, {"fasthttp", 13_440, 1, 0.021, 6.9e-6}, {"eventloop", 268, 0, 0.005, 5.9e-6},
	} {
		r.Costs = append(r.Costs, result.Cost{
			Name: c.name, Wanted: 18_000, InFlight: 18_000, IdleBytes: result.Number(14e6), PeakBytes: result.Number(14e6 + 18_000*c.each),
			BytesPerRequest: &c.each, GoroutinesPer: &c.goroutines, ThreadsPer: result.Number(0.0003),
			LatenessP50: result.Number(c.late / 20), LatenessP99: &c.late, CPUPerRequest: &c.cpu, PerSecondAtNoWait: result.Number(0.9 / c.cpu),
		})
	}
	r.Costs = append(r.Costs,
		result.Cost{
			Name: "single", Wanted: 18_000, CPUPerRequest: result.Number(6.1e-6),
			Notes: []string{"works on one request at a time and leaves the others to the kernel: nothing blocks in it"},
		},
		result.Cost{Name: "processes", Wanted: 18_000, Failure: "died under load: it ended with signal: killed\nout of memory"},
	)
	return r
}

// cells24 returns the full matrix of servers and kinds of work, with all figures.
func cells24() *result.Result {
	r := article()
	r.Rows, r.Left, r.Comparisons, r.Verdict = nil, nil, nil, []string{"cpu: 2 cores / 100ms bound every mode."}
	for _, work := range []string{"sleep", "block", "cpu", "mutex"} {
		for _, name := range []string{"goroutine", "pool", "single", "fasthttp", "thread", "eventloop"} {
			row := server{name: name, perSecond: 49.9, base: 14e6, each: 15e3, threads: 9, goroutines: 2, cpu: 0.11e-3}.row()
			row.Name, row.Work, row.Notes = name+result.Times+work, work, []string{"a note about " + name + " and " + work}
			if work == "cpu" {
				row.Total.PerSecond, row.Bound = result.Number(10.0), "2 cores / 2s"
				row.Prediction.PerSecond = result.Number(10.0)
			}
			r.Rows = append(r.Rows, row)
		}
	}
	return r
}

// many returns a result with more rows than colours.
func many() *result.Result {
	r := article()
	r.Rows = nil
	for i := range 17 {
		r.Rows = append(r.Rows, server{name: fmt.Sprintf("row-%02d", i), perSecond: 49, base: 1e7, each: 1e4, threads: 9}.row())
	}
	return r
}

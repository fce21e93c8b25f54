// Package bench puts servers under load, one after the other in interleaved rounds, predicts their results from theory,
// measures them, and distinguishes differences from noise.
//
// It treats each server as a black box: it starts the binary as a child process, and sends it HTTP requests. It must
// not know how anything is served; a Row describes the limits of its server.
package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"time"

	"demo-server/bench/beside"
	"demo-server/bench/load"
	"demo-server/bench/originals"
	"demo-server/bench/result"
	"demo-server/bench/verdict"
)

// A runner is one run of the bench.
type runner struct {
	*Plan
	launcher
	rows     []*row
	progress *Progress
}

// A launcher starts servers.
type launcher struct {
	binary    string         // path of demo-server
	originals *originals.Set // nil if no row needs them
	folder    string         // for the files of bench/beside; empty if no row needs it
}

// A row is a planned row with its measurements.
type row struct {
	Planned
	result  result.Row
	waits   *load.Waits // of all repeats; nil if a tool did the load, which reports its own latencies
	rounds  []float64   // throughput, by round
	reports []evidence  // by repeat
}

// Run measures the plan and returns the results. If ctx ends, it returns the results so far. set is nil if no row is a
// Python program.
func (p *Plan) Run(ctx context.Context, set *originals.Set, progress *Progress) *result.Result {
	r := &runner{Plan: p, launcher: launcher{binary: p.Binary, originals: set}, progress: progress}
	started := time.Now()
	for _, planned := range p.Planned {
		r.rows = append(r.rows, newRow(planned, p.Repeat))
	}
	order := rand.New(rand.NewPCG(p.Seed, 0))
	for round := 1; round <= p.Repeat && ctx.Err() == nil; round++ {
		// A different order in each round: else a row would always follow the same other one, which warms up the machine.
		for _, i := range order.Perm(len(r.rows)) {
			r.measure(ctx, r.rows[i], round)
		}
	}
	return r.result(ctx, started)
}

func newRow(p Planned, repeat int) *row {
	out := result.Row{
		Name: p.Name, Kind: p.Kind, Mode: p.Mode, Work: p.Work, WorkAbout: p.WorkAbout, About: p.About, Choose: p.When, Settings: p.Settings, Fault: p.Fault, Places: p.room(), Bound: p.Bound,
		Prediction: p.Prediction, Why: p.Why, Cut: p.Cut, Trusted: true,
	}
	if p.Known {
		out.Delay = result.Number(p.Delay.Seconds())
	}
	return &row{Planned: p, result: out, rounds: make([]float64, 0, repeat)}
}

// measure measures one repeat of a row. A row that failed once is not tried again.
func (r *runner) measure(ctx context.Context, row *row, round int) {
	if ctx.Err() != nil || row.result.Failure != "" {
		row.skip()
		return
	}
	r.progress.Begin(row.Name, round, row.Took)
	defer r.progress.End()
	started := time.Now()
	measured, err := r.repeat(ctx, row.Planned)
	if err != nil && ctx.Err() == nil {
		row.result.Failure = err.Error()
	}
	if measured == nil {
		row.skip()
		return
	}
	row.add(measured, result.Repeat{Round: round, Started: started, Figures: measured.figures})
}

// A measurement holds the results of one repeat.
type measurement struct {
	figures result.Figures
	waits   *load.Waits // nil if a tool did the load
	samples []result.Sample
	audits  []result.Audit
	evidence
}

// repeat starts a row's server, loads it, and stops it. It can return both a measurement and an error.
func (r *runner) repeat(ctx context.Context, p Planned) (*measurement, error) {
	target, err := r.target(ctx, p.Row)
	if err != nil {
		return nil, err
	}
	defer target.stop()
	measured, err := r.load(ctx, p, target)
	if err != nil {
		return measured, err
	}
	if target.child != nil && target.child.dead() {
		return measured, fmt.Errorf("died under load: %s", target.child.lastWords())
	}
	return measured, target.stop()
}

// A target is a server that is ready for load.
type target struct {
	child   *child // nil for an external server
	address string // IP:port of every connection
	host    string // of the Host header; empty for the address
	path    string
}

func (t *target) stop() error {
	if t.child == nil {
		return nil
	}
	return t.child.stop()
}

func (l launcher) target(ctx context.Context, row Row) (*target, error) {
	switch row.Kind {
	case result.KindMode:
		c, err := startServer(ctx, l.binary, row)
		if err != nil {
			return nil, err
		}
		return &target{child: c, address: c.address, path: "/"}, nil
	case result.KindOriginal, result.KindBeside:
		return l.startOther(ctx, row)
	}
	return row.running()
}

// startOther starts a Python program or a baseline on a port that is free now.
func (l launcher) startOther(ctx context.Context, row Row) (*target, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	command, err := l.command(row, port)
	if err != nil {
		return nil, err
	}
	c, err := start(command, func(string) {})
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	if err := c.awaitReply(ctx, address); err != nil {
		c.stop()
		return nil, err
	}
	if !serves(c.pid(), port) { // another process could take the port between freePort and the child's start
		c.stop()
		return nil, fmt.Errorf("did not start: another process took its port %d", port)
	}
	return &target{child: c, address: address, path: "/"}, nil
}

func (l launcher) command(row Row, port int) (*exec.Cmd, error) {
	if row.Kind == result.KindOriginal {
		return l.originals.Command(row.Original, port, row.Delay, row.Workers), nil
	}
	return beside.Command(row.Beside, l.binary, l.folder, port, row.Delay)
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// awaitReply waits until the server answers with any status. It requests a path that no program has, to get an answer
// without a delay. A listening socket is not enough: gunicorn's master listens before its worker can serve.
func (c *child) awaitReply(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	client := newClient(address)
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/ready", nil)
		if err != nil {
			return err
		}
		request.Close = true
		if response, err := client.Do(request); err == nil {
			return response.Body.Close()
		}
		select {
		case <-c.ended:
			return fmt.Errorf("did not start: %s", c.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("was not ready after %s: %s", startTimeout, c.lastWords())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Result returns the plan as a result without measurements.
func (p *Plan) Result() *result.Result {
	out := &result.Result{
		Schema: result.Schema, Version: p.Version, Command: p.Command, Load: p.record(), Left: p.Left,
		TookSeconds: p.Took.Seconds(),
	}
	for _, planned := range p.Planned {
		row := newRow(planned, p.Repeat).result
		row.Total.TookSeconds = planned.Took.Seconds()
		out.Rows = append(out.Rows, row)
	}
	return out
}

// result combines the results of all rows.
func (r *runner) result(ctx context.Context, started time.Time) *result.Result {
	out := &result.Result{
		Schema: result.Schema, Version: r.Version, Started: started, TookSeconds: time.Since(started).Seconds(),
		Interrupted: ctx.Err() != nil, Command: r.Command, Machine: result.ThisMachine(), Load: r.record(), Left: r.Left,
	}
	for _, row := range r.rows {
		r.finish(row)
		out.Rows = append(out.Rows, row.result)
	}
	out.Comparisons = verdict.Compare(out.Rows, r.Margin)
	out.Verdict = verdict.Sentences(out)
	if busy := busyMachine(out.Rows); busy != "" {
		out.Verdict = append(out.Verdict, busy)
	}
	return out
}

func (c Config) record() result.Load {
	loop := "closed"
	if c.Rate > 0 {
		loop = "open"
	}
	return result.Load{
		Generator: c.Generator, Loop: loop, Concurrency: c.Concurrency, Requests: c.Requests,
		DurationSeconds: c.Duration.Seconds(), Rate: c.Rate, Keepalive: c.Keepalive, Repeat: c.Repeat,
		WarmupSeconds: c.Warmup.Seconds(), TimeoutSeconds: c.Timeout.Seconds(), BudgetSeconds: c.Budget.Seconds(),
		Seed: c.Seed, Margin: c.Margin,
	}
}

// Package load puts a server under load and records the result of each request. The load comes from its own generator
// or from the real ab and wrk. In a closed loop each of a number of clients sends its next request after the reply to
// its last. In an open loop requests start at a fixed rate, whatever the server does.
//
// It counts every request once and never sends one again, because a request sent twice is neither one request with that
// latency nor two. It must not know the kind of server.
package load

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/valyala/fasthttp"
)

// A Config is the load that a generator puts on one server.
type Config struct {
	Address string // host:port of every connection
	Host    string // of the Host header; empty for Address
	Path    string
	Body    []byte // the right body; nil takes the first reply with 2xx as right
	AnyBody bool   // accepts every body, for an unknown server

	Clients   int           // in the open loop the max requests that wait at a time
	Requests  int           // number to send; 0 sends for Duration
	Duration  time.Duration // no request is sent after it; 0 for no end
	Cut       time.Duration // time when unfinished requests are given up; 0 for no end
	Rate      float64       // requests per second of the open loop; 0 for the closed loop
	Keepalive bool          // false opens a connection for each request
	Timeout   time.Duration // of one request, including connecting

	Dial func(context.Context) (net.Conn, error) // nil connects to Address by TCP
}

// A Generator loads one server once. Its other methods may run concurrently with Run.
type Generator struct {
	config Config
	client fasthttp.HostClient
	start  time.Time

	busy     atomic.Int64
	answered atomic.Int64
	issued   atomic.Int64

	mu       sync.Mutex
	requests []Request
	late     *hdrhistogram.Histogram
	body     *fingerprint // of the right body; nil until it is known
	lengths  Lengths
	open     map[*conn]struct{}
	stopped  bool // unfinished requests are being given up
	dialing  context.Context
	giveUp   context.CancelFunc
}

// Each connection needs a buffer to read and one to write; a hello fits.
const bufferSize = 2048

// Lengths holds the shortest and longest length of a body of a reply with 2xx, in bytes.
type Lengths struct {
	Shortest, Longest int
	some              bool
}

// Add adds the length of a body.
func (l *Lengths) Add(length int) {
	if !l.some {
		*l = Lengths{length, length, true}
	}
	l.Shortest, l.Longest = min(l.Shortest, length), max(l.Longest, length)
}

// Lengths returns the lengths of the bodies so far.
func (g *Generator) Lengths() Lengths {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lengths
}

// New returns a generator for config.
func New(config Config) *Generator {
	g := &Generator{
		config: config, open: map[*conn]struct{}{},
		late: hdrhistogram.New(1, int64(time.Hour/time.Microsecond), 3),
	}
	if config.Body != nil {
		right := fingerprintOf(config.Body)
		g.body = &right
	}
	g.client = fasthttp.HostClient{
		Addr: config.Address, MaxConns: config.Clients, DialTimeout: g.dial,
		ReadBufferSize: bufferSize, WriteBufferSize: bufferSize, StreamResponseBody: true,
		MaxIdemponentCallAttempts: 1, // otherwise fasthttp would repeat a GET without a reply
		NoDefaultUserAgentHeader:  true, DisablePathNormalizing: true, DisableHeaderNamesNormalizing: true,
	}
	return g
}

// Run loads the server until every request is answered, the time is over, or ctx is done. It returns the requests in
// the order in which they ended, and how long it took. It may be called only once.
func (g *Generator) Run(ctx context.Context) ([]Request, time.Duration) {
	g.dialing, g.giveUp = context.WithCancel(context.WithoutCancel(ctx))
	defer g.giveUp()
	g.mu.Lock()
	g.start = time.Now()
	g.mu.Unlock()
	sending, stopSending := context.WithCancel(ctx)
	defer stopSending()
	if g.config.Duration > 0 {
		defer time.AfterFunc(g.config.Duration, stopSending).Stop()
	}
	if g.config.Cut > 0 {
		defer time.AfterFunc(g.config.Cut, func() {
			stopSending()
			g.cut()
		}).Stop()
	}
	defer context.AfterFunc(ctx, g.cut)()
	if g.config.Rate > 0 {
		g.openLoop(sending)
	} else {
		g.closedLoop(sending)
	}
	took := time.Since(g.start)
	g.client.CloseIdleConnections()
	return g.requests, took
}

// Elapsed returns the time since Run was called, or 0 before. The times of requests use this clock.
func (g *Generator) Elapsed() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.start.IsZero() {
		return 0
	}
	return time.Since(g.start)
}

// Busy returns how many requests the clients are waiting for.
func (g *Generator) Busy() int { return int(g.busy.Load()) }

// Answered returns the number of right replies so far.
func (g *Generator) Answered() int { return int(g.answered.Load()) }

// Late returns how long after they were due requests of the open loop were sent, as the median and at 99%. The
// generator causes this delay, not the server.
func (g *Generator) Late() (median, p99 time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := func(percent float64) time.Duration {
		return time.Duration(g.late.ValueAtQuantile(percent)) * time.Microsecond
	}
	return at(50), at(99)
}

// closedLoop runs clients that each send their next request when their last one ended.
func (g *Generator) closedLoop(sending context.Context) {
	var clients sync.WaitGroup
	for range g.config.Clients {
		clients.Go(func() {
			exchange := g.newExchange()
			defer exchange.release()
			for g.more(sending) {
				exchange.do(time.Since(g.start))
			}
		})
	}
	clients.Wait()
}

// more claims the next request. It reports false if there is none to send.
func (g *Generator) more(sending context.Context) bool {
	if sending.Err() != nil {
		return false
	}
	return g.config.Requests == 0 || g.issued.Add(1) <= int64(g.config.Requests)
}

// openLoop sends requests when they are due. If the max number of requests wait, the next one is sent late, and its
// latency counts from when it was due: a slow server must not lighten the load.
func (g *Generator) openLoop(sending context.Context) {
	var clients sync.WaitGroup
	defer clients.Wait()
	waiting := make(chan struct{}, g.config.Clients)
	for i := 0; g.more(sending); i++ {
		due := time.Duration(math.Round(float64(i) / g.config.Rate * float64(time.Second)))
		if !sleepUntil(sending, g.start.Add(due)) {
			return
		}
		select {
		case waiting <- struct{}{}:
			clients.Go(func() {
				exchange := g.newExchange()
				defer exchange.release()
				exchange.do(due)
				<-waiting
			})
		case <-sending.Done():
			return
		}
	}
}

// sleepUntil reports whether t came before ctx was done.
func sleepUntil(ctx context.Context, t time.Time) bool {
	wait := time.Until(t)
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// An exchange holds the memory for one request at a time.
type exchange struct {
	*Generator
	request  *fasthttp.Request
	response *fasthttp.Response
}

func (g *Generator) newExchange() *exchange {
	e := &exchange{g, fasthttp.AcquireRequest(), fasthttp.AcquireResponse()}
	e.request.SetRequestURI("http://" + cmp.Or(g.config.Host, g.config.Address) + g.config.Path)
	if !g.config.Keepalive {
		e.request.SetConnectionClose()
	}
	return e
}

func (e *exchange) release() {
	fasthttp.ReleaseRequest(e.request)
	fasthttp.ReleaseResponse(e.response)
}

// do sends one request and records its result.
func (e *exchange) do(sent time.Duration) {
	late := time.Since(e.start) - sent
	e.busy.Add(1)
	body, err := e.reply()
	ended := time.Since(e.start)
	e.busy.Add(-1)

	r := Request{Sent: sent, Late: late, Ended: ended, Queued: -1, Worked: -1}
	if err == nil {
		r.Queued, r.Worked = readTiming(e.response.Header.Peek("Server-Timing"))
	}
	e.record(r, err, e.response.StatusCode(), body)
}

// reply sends the request and reads the reply to its end.
func (e *exchange) reply() (body fingerprint, err error) {
	began := time.Now()
	if err = e.client.DoTimeout(e.request, e.response, e.config.Timeout); err == nil {
		body, err = readBody(e.response)
	}
	if err != nil && time.Since(began) >= e.config.Timeout {
		err = fasthttp.ErrTimeout // some errors of fasthttp hide the timeout that ended the read
	}
	return body, err
}

func (g *Generator) record(r Request, err error, status int, body fingerprint) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.Class = g.classify(err, status, body); r.Class == Answered {
		g.answered.Add(1)
	}
	g.requests = append(g.requests, r)
	g.late.RecordValue(r.Late.Microseconds()) // it ignores more than an hour, which does not happen
}

func (g *Generator) classify(err error, status int, body fingerprint) Class {
	switch {
	case err != nil:
		return g.classifyError(err)
	case status == fasthttp.StatusServiceUnavailable || status == fasthttp.StatusTooManyRequests:
		return Refused
	case status < 200 || status > 299:
		return Status
	}
	g.lengths.Add(body.length)
	if g.config.AnyBody {
		return Answered
	}
	if g.body == nil {
		first := body // allocated once, not for each reply
		g.body = &first
	}
	if *g.body != body {
		return Body
	}
	return Answered
}

func (g *Generator) classifyError(err error) Class {
	var network net.Error
	var dial *dialError
	switch {
	case g.stopped:
		return Unfinished
	case errors.As(err, &network) && network.Timeout(), errors.Is(err, fasthttp.ErrTimeout):
		return Timeout
	case errors.As(err, &dial):
		return Connect
	}
	return Broken
}

// Package load puts a server under load, and records what each request met: by a small generator of its own, in the
// closed loop (so many clients, each of which sends its next request when it has the reply to its last) or the open
// loop (so many requests per second, whatever the server does); or by the real ab and wrk.
//
// It counts every request once. Nothing is sent again behind its back, because a request that was sent twice is
// neither one request of that latency nor two. It must not know what the server is.
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
	Host    string // that requests name; empty for the address
	Path    string
	Body    []byte // the right body; nil takes that of the first reply with 2xx for it
	AnyBody bool   // every body is right: nothing is known of the server

	Clients   int           // in the open loop the most requests that wait at a time
	Requests  int           // how many to send; 0 sends for Duration
	Duration  time.Duration // no request is sent after it; 0 for no end
	Cut       time.Duration // what is unfinished then is given up, and counted as that; 0 for no end
	Rate      float64       // requests per second of the open loop; 0 for the closed loop
	Keepalive bool          // else each request has a connection of its own
	Timeout   time.Duration // of one request, with its connecting

	Dial func(context.Context) (net.Conn, error) // nil connects to Address by TCP
}

// A Generator loads one server once.
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
	body     *fingerprint // of the right body; nil before it is known
	lengths  Lengths
	open     map[*conn]struct{}
	stopped  bool // what is under way is being given up
	dialing  context.Context
	giveUp   context.CancelFunc
}

// Each connection needs a buffer to read and one to write; a hello fits into these.
const bufferSize = 2048

// Lengths are those of the shortest and the longest body of a reply with 2xx, in bytes.
type Lengths struct {
	Shortest, Longest int
	some              bool
}

// Add adds a body.
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

// New makes a generator.
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
		MaxIdemponentCallAttempts: 1, // it would send a GET again that got no reply
		NoDefaultUserAgentHeader:  true, DisablePathNormalizing: true, DisableHeaderNamesNormalizing: true,
	}
	return g
}

// Run loads the server until all is sent and answered, the time is over, or ctx is done. It returns what became of
// each request, in the order in which they ended, and how long it took. It is called once.
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

// Elapsed returns the time since Run was called, and 0 before. The times of requests are by this clock.
func (g *Generator) Elapsed() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.start.IsZero() {
		return 0
	}
	return time.Since(g.start)
}

// Busy is how many requests the clients are waiting for.
func (g *Generator) Busy() int { return int(g.busy.Load()) }

// Answered is how many right replies there have been.
func (g *Generator) Answered() int { return int(g.answered.Load()) }

// Late is how long after it was due the median request of the open loop was sent, and the one at 99%. It is the
// generator's own fault.
func (g *Generator) Late() (median, p99 time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := func(percent float64) time.Duration {
		return time.Duration(g.late.ValueAtQuantile(percent)) * time.Microsecond
	}
	return at(50), at(99)
}

// closedLoop has each client send its next request when its last one ended.
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

// more claims the next request, where there is one to send.
func (g *Generator) more(sending context.Context) bool {
	if sending.Err() != nil {
		return false
	}
	return g.config.Requests == 0 || g.issued.Add(1) <= int64(g.config.Requests)
}

// openLoop sends requests when they are due. Where as many wait as may, the next one is sent late, and that counts as
// latency: it was due, and a server that is slow must not make the load light.
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

// sleepUntil returns false where ctx was done first.
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

// An exchange is the memory for one request at a time.
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

// do sends one request and records what became of it.
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

// reply sends the request, and reads the reply to its end.
func (e *exchange) reply() (body fingerprint, err error) {
	began := time.Now()
	if err = e.client.DoTimeout(e.request, e.response, e.config.Timeout); err == nil {
		body, err = readBody(e.response)
	}
	if err != nil && time.Since(began) >= e.config.Timeout {
		err = fasthttp.ErrTimeout // not all errors of fasthttp lead to the one that ended the reading
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
	g.late.RecordValue(r.Late.Microseconds()) // an hour late is not recorded, and does not happen
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
		first := body // in memory that is taken once, not for each reply
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

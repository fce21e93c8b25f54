package bench

import (
	"testing"
	"time"
)

// TestOverload checks that exactly the loads above a server's capacity are explained.
func TestOverload(t *testing.T) {
	row := func(places, queue int, change func(*Row)) Row {
		r := ofMode("pool", places)
		r.Delay, r.Queue, r.QueueTimeout, r.Bound = 200*time.Millisecond, queue, 30*time.Second, "2 workers / 200ms"
		change(&r)
		return r
	}
	same := func(*Row) {}
	closed := func(clients int) Config {
		return Config{Generator: Builtin, Concurrency: clients, Duration: 10 * time.Second, Repeat: 1, Budget: time.Minute}
	}
	open := func(rate float64, clients int) Config {
		c := closed(clients)
		c.Rate = rate
		return c
	}
	const asked = "15 requests/s are asked for and the server can do 10 (2 workers / 200ms): "
	const grows = asked + "the queue grows by 5 requests/s for as long as the load lasts"
	cases := []struct {
		name   string
		config Config
		row    Row
		want   string
	}{
		{"below capacity", open(9, 1000), row(2, 1024, same), ""},
		{"at capacity", open(10, 1000), row(2, 1024, same), ""},
		{"above it", open(15, 1000), row(2, 1024, same),
			grows + "; after 1m0s, if the load lasted that long, " +
				"requests wait for the queue-timeout of 30s, and 5 requests/s get 503"},
		{"until the queue is full", open(15, 1000), row(2, 20, same),
			grows + "; after 4s, its 20 places are taken, and 5 requests/s get 503"},
		{"until requests expire", open(15, 1000), row(2, 1024, func(r *Row) { r.QueueTimeout = time.Second }),
			grows + "; after 2s, requests wait for the queue-timeout of 1s, and 5 requests/s get 503"},
		{"until the clients wait", open(15, 12), row(2, 1024, same),
			grows + "; after 2s, all 12 of -c wait, and further requests are sent late"},
		{"without a queue", open(15, 1000), row(2, 0, same), asked + "5 requests/s get 503"},
		{"in the kernel's queue", open(15, 1000), row(2, -1, func(r *Row) { r.QueueTimeout = 0 }), grows},
		{"at the work", open(15, 1000), row(0, -1, func(r *Row) { r.Slots = 2 }),
			asked + "each second of the load, 5 more requests wait at their work"},
		{"no limit", open(15, 1000), row(0, -1, same), ""},
		{"a fault", open(15, 1000), row(2, 1024, func(r *Row) { r.Fault = "status=503:10" }), ""},
		{"no delay", open(15, 1000), row(2, 1024, func(r *Row) { r.Delay = 0 }), ""},
		{"clients that find room", closed(12), row(2, 10, same), ""},
		{"clients that find none", closed(13), row(2, 10, same),
			"13 clients are more than the server has room for, 2 at work and 10 in the queue: " +
				"the others get 503 at once and try again"},
		{"clients that find no queue", closed(3), row(2, 0, same),
			"3 clients are more than the server has room for, 2 at work: the others get 503 at once and try again"},
		{"clients that wait too long", closed(22), row(2, 100, func(r *Row) { r.QueueTimeout = time.Second }),
			"22 clients would wait 2s in the queue (2 workers / 200ms): " +
				"after the queue-timeout of 1s a request gets 503, and its client tries again"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.config.Rows = []Row{c.row}
			plan := NewPlan(c.config, false)
			if got := plan.overload(plan.Planned[0]); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

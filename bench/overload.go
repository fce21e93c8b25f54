package bench

import (
	"fmt"
	"time"
)

// overload explains a load above the capacity of the row's server, or returns "".
func (c Config) overload(p Planned) string {
	if !p.Known || p.Delay == 0 || p.Fault != "" || p.room() == 0 {
		return ""
	}
	switch capacity := float64(p.room()) / p.Delay.Seconds(); {
	case c.Rate > capacity:
		return c.tooManyPerSecond(p, capacity)
	case c.Rate > 0 || p.Places == 0 || p.Queue < 0:
		return ""
	case c.Concurrency > p.Places+p.Queue:
		return fmt.Sprintf("%d clients are more than the server has room for, %s: the others get 503 at once and try again",
			c.Concurrency, room(p.Row))
	}
	wait := p.Delay * time.Duration(c.Concurrency-p.Places) / time.Duration(p.Places)
	if p.QueueTimeout > 0 && wait > p.QueueTimeout {
		return fmt.Sprintf("%d clients would wait %s in the queue (%s): after the queue-timeout of %s a request gets 503, and"+
			" its client tries again", c.Concurrency, short(wait), p.Bound, p.QueueTimeout)
	}
	return ""
}

// room describes the places that a server has for requests.
func room(row Row) string {
	if row.Queue == 0 {
		return fmt.Sprintf("%d at work", row.Places)
	}
	return fmt.Sprintf("%d at work and %d in the queue", row.Places, row.Queue)
}

// tooManyPerSecond explains an open loop above the server's capacity.
func (c Config) tooManyPerSecond(p Planned, capacity float64) string {
	excess := c.Rate - capacity
	asked := fmt.Sprintf("%.4g requests/s are asked for and the server can do %.4g (%s)", c.Rate, capacity, p.Bound)
	switch {
	case p.inside():
		return fmt.Sprintf("%s: each second of the load, %.4g more requests wait at their work", asked, excess)
	case p.Queue == 0:
		return fmt.Sprintf("%s: %.4g requests/s get 503", asked, excess)
	}
	return fmt.Sprintf("%s: the queue grows by %.4g requests/s for as long as the load lasts%s", asked, excess,
		c.endOfGrowth(p, capacity))
}

// endOfGrowth describes when and how the growth of a row's queue ends, or returns "" if that is long after the load.
func (c Config) endOfGrowth(p Planned, capacity float64) string {
	excess := c.Rate - capacity
	refused := fmt.Sprintf("%.4g requests/s get 503", excess)
	after := func(waiting float64) time.Duration { return time.Duration(waiting / excess * float64(time.Second)) }
	end, happens := c.sending(p), ""
	if p.Queue > 0 {
		end, happens = after(float64(p.Queue)), fmt.Sprintf("its %d places are taken, and %s", p.Queue, refused)
	}
	if expired := after(p.QueueTimeout.Seconds() * capacity); p.QueueTimeout > 0 && expired < end {
		end, happens = expired, fmt.Sprintf("requests wait for the queue-timeout of %s, and %s", p.QueueTimeout, refused)
	}
	if waiting := after(float64(c.Concurrency - p.Places)); waiting < min(end, c.sending(p)) {
		end, happens = waiting, fmt.Sprintf("all %d of -c wait, and further requests are sent late", c.Concurrency)
	}
	switch {
	case happens == "":
		return ""
	case end > c.sending(p):
		return fmt.Sprintf("; after %s, if the load lasted that long, %s", short(end), happens)
	}
	return fmt.Sprintf("; after %s, %s", short(end), happens)
}

// sending returns how long requests of the open loop are sent.
func (c Config) sending(p Planned) time.Duration {
	if c.Requests > 0 {
		return min(p.cut, time.Duration(float64(c.Requests)/c.Rate*float64(time.Second)))
	}
	return p.duration
}

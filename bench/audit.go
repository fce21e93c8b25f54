package bench

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"demo-server/bench/load"
	"demo-server/bench/result"
)

// The audits compare samples with requests by Little's law (Little 1961; for a window of a run the operational form of
// Denning and Buzen 1978): the mean number of requests in a system is throughput times their time in it. Both sides
// come from different counters and processes, and agree only if both are right.
//
// Both sides count the same requests in the same window, so the law holds for any window, also while a queue grows.
const (
	auditTolerance = 0.05
	auditLeast     = 1 // request
	auditSamples   = 5 // the min number

	clientsAudit = "Little's law, clients"
	serverAudit  = "Little's law, server"
	acceptAudit  = "accept queue"
)

// An observation holds the data of one repeat.
type observation struct {
	requests []load.Request
	summary  load.Summary
	samples  []result.Sample
	moments  []moment
}

// audits checks one repeat. If the server was short of CPU, it checks only the clients' side: requests then wait for a
// core, which neither Server-Timing nor any queue counts.
func (o observation) audits(shortOfCPU bool) []result.Audit {
	from, to := o.summary.From, o.summary.To
	o.samples = within(o.samples, func(s result.Sample) bool {
		return s.Busy != nil && s.At >= from.Seconds() && s.At < to.Seconds()
	})
	if len(o.samples) < auditSamples || to <= from {
		return nil
	}
	audits := []result.Audit{o.clients()}
	o.moments = within(o.moments, func(m moment) bool { return m.from >= from && m.to < to })
	if len(o.moments) < auditSamples {
		return audits
	}
	server := o.server()
	if shortOfCPU {
		server.Broken, server.Skipped = false, "requests waited for a core, which Server-Timing does not count"
		return append(audits, server)
	}
	audits = append(audits, server)
	accept := within(o.samples, func(s result.Sample) bool {
		return s.AcceptQueue != nil && s.Connections != nil && inServer(s) != nil
	})
	if len(accept) >= auditSamples && o.summary.Count[load.Refused] <= o.summary.Count[load.Answered] {
		audits = append(audits, acceptQueue(accept))
	}
	return audits
}

// within returns the elements for which keep returns true.
func within[T any](all []T, keep func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(all), func(e T) bool { return !keep(e) })
}

func inServer(s result.Sample) *float64 {
	if s.InFlight == nil || s.Queued == nil {
		return nil
	}
	return result.Number(*s.InFlight + *s.Queued)
}

// clients compares the number of requests in flight, seen in samples, with the total time that requests were in flight
// in the window.
func (o observation) clients() result.Audit {
	from, to := o.summary.From, o.summary.To
	busy, _ := mean(o.samples, from, to, func(s result.Sample) *float64 { return s.Busy })
	var spent time.Duration
	for _, r := range o.requests {
		spent += max(0, min(r.Ended, to)-max(r.Sent+r.Late, from))
	}
	law := spent.Seconds() / (to - from).Seconds()
	return audit(clientsAudit, busy, law, fmt.Sprintf(
		"%.1f requests were waited for at a time, and throughput times latency is %.1f", busy, law))
}

// replyTravel is the max time from when the server counts a request as done until the client has the reply.
const replyTravel = 5 * time.Millisecond

// server compares the server's own count of requests with the number that Server-Timing gives for the same moments.
//
// A mean over time would be inexact. Replies come in rounds, and the server is empty for a moment between two of them:
// one or none of ten samples may see that, which is 10% off. At the moment of a sample both sides see the same.
//
// A request without Server-Timing may have been in the server at any time since it was sent. If there are enough
// moments before the first such request, only these count.
func (o observation) server() result.Audit {
	moments := o.moments
	unknown := o.firstUnknown()
	if before := within(moments, func(m moment) bool { return m.to < unknown }); len(before) >= auditSamples {
		moments = before
	}
	seen, certain, possible := 0.0, 0, 0 // sums over the moments
	for _, m := range moments {
		seen += m.inServer
	}
	for _, r := range o.requests {
		certain += certainly(r, moments)
		possible += possibly(r, moments)
	}
	n := float64(len(moments))
	seen, low, high := seen/n, float64(certain)/n, float64(possible)/n
	a := audit(serverAudit, seen, min(max(seen, low), high), fmt.Sprintf(
		"%.1f requests were queued or running at a time, and by Server-Timing there were %.1f to %.1f", seen, low, high))
	if !a.Broken && high-low > max(auditLeast, high/2) {
		a.Skipped = "it is not known when most requests were in the server: they had no reply, or were there too briefly"
	}
	return a
}

// firstUnknown returns when the first request was sent for which the server reports no time.
func (o observation) firstUnknown() time.Duration {
	first := time.Duration(math.MaxInt64)
	for _, r := range o.requests {
		if !timed(r) && r.Class != load.Connect {
			first = min(first, r.Sent+r.Late)
		}
	}
	return first
}

// timed reports whether the server reported how long the request was in it.
func timed(r load.Request) bool { return r.Queued >= 0 && r.Worked >= 0 }

// arrived returns the latest time at which a timed request reached the server. The real time is up to replyTravel
// earlier.
func arrived(r load.Request) time.Duration { return r.Ended - micros(r.Queued) - micros(r.Worked) }

// certainly returns the number of moments throughout which the request must have been in the server.
func certainly(r load.Request, moments []moment) int {
	if !timed(r) {
		return 0
	}
	begin := sort.Search(len(moments), func(i int) bool { return moments[i].from >= arrived(r) })
	end := sort.Search(len(moments), func(i int) bool { return moments[i].to >= r.Ended-replyTravel })
	return max(0, end-begin)
}

// possibly returns the number of moments at which the request may have been in the server. A server may continue a
// request after its client has disconnected.
func possibly(r load.Request, moments []moment) int {
	arrived, left := arrived(r)-replyTravel, r.Ended
	switch {
	case timed(r):
	case r.Class == load.Connect:
		return 0
	case r.Class == load.Refused:
		arrived = r.Sent + r.Late
	default:
		arrived, left = r.Sent+r.Late, math.MaxInt64
	}
	begin := sort.Search(len(moments), func(i int) bool { return moments[i].to >= arrived })
	end := sort.Search(len(moments), func(i int) bool { return moments[i].from >= left })
	return max(0, end-begin)
}

// acceptQueue compares the requests that the clients wait for and the server does not have with the kernel's accept
// queue and the accepted connections without a request in the server, whose requests may be unread.
//
// Between two rounds of replies most requests are on their way and in neither place, and a sample may see that. Lost
// requests are missing in all samples, so the median sample counts.
func acceptQueue(samples []result.Sample) result.Audit {
	slices.SortFunc(samples, func(a, b result.Sample) int { return cmp.Compare(lost(a), lost(b)) })
	s := samples[len(samples)/2]
	gap := *s.Busy - *inServer(s)
	a := audit(acceptAudit, gap, gap-lost(s), fmt.Sprintf(
		"%.1f of the requests that the clients waited for had not reached the server, "+
			"and the accept queue and unread connections held %.1f", gap, gap-lost(s)))
	a.Broken = math.Abs(lost(s)) > max(auditLeast, onTheWay**s.Busy)
	return a
}

// lost returns how many of the requests that the clients wait for are neither in the server nor in front of it. It is
// negative if more are in front of it.
func lost(s result.Sample) float64 {
	gap := *s.Busy - *inServer(s)
	unread := max(0, *s.Connections-*inServer(s))
	return gap - *s.AcceptQueue - max(0, min(unread, gap-*s.AcceptQueue))
}

// onTheWay is the max share of the requests that may be neither in front of the server nor in it.
const onTheWay = 0.1

func audit(name string, left, right float64, text string) result.Audit {
	allowed := max(auditLeast, auditTolerance*max(left, right))
	return result.Audit{Name: name, Left: left, Right: right, Broken: math.Abs(left-right) > allowed, Text: text}
}

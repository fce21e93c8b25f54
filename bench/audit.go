package bench

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"demo-server/bench/load"
	"demo-server/bench/result"
)

// The audits hold what was sampled against what follows from the requests by Little's law (Little 1961; for a window of
// a run the operational form of Denning and Buzen 1978): the mean number in a system is throughput times the time in
// it. The two sides come from different clocks, counters and processes, so that they agree only where both are right.
const (
	auditTolerance = 0.05
	auditLeast     = 1 // connection
	auditSamples   = 5 // fewer say nothing

	acceptAudit = "accept queue"
)

// audits checks one repeat, the replies of which come in rounds. Of a server that is short of CPU only the clients'
// side is checked: requests wait for a core there, which is neither in Server-Timing nor in any queue that is counted.
func audits(requests []load.Request, s load.Summary, round int, samples []result.Sample, shortOfCPU bool) []result.Audit {
	busy, n := mean(samples, s.From, s.To, func(s result.Sample) *float64 { return s.Busy })
	if n < auditSamples || s.To <= s.From {
		return nil
	}
	audits := []result.Audit{clientAudit(requests, s, busy)}
	if shortOfCPU {
		return audits
	}
	inServer, n := mean(samples, s.From, s.To, inServer)
	if n < auditSamples {
		return audits
	}
	if audit, ok := serverAudit(requests, round, inServer, samples); ok {
		audits = append(audits, audit)
	}
	accept, n := mean(samples, s.From, s.To, func(s result.Sample) *float64 { return s.AcceptQueue })
	if n >= auditSamples && s.Count[load.Refused] <= s.Count[load.Answered] {
		connections, _ := mean(samples, s.From, s.To, func(s result.Sample) *float64 { return s.Connections })
		audits = append(audits, gapAudit(busy, inServer, accept, max(0, connections-inServer)))
	}
	return audits
}

func inServer(s result.Sample) *float64 {
	if s.InFlight == nil || s.Queued == nil {
		return nil
	}
	return result.Number(*s.InFlight + *s.Queued)
}

// clientAudit compares the connections that were seen busy with the time that requests spent in the window.
func clientAudit(requests []load.Request, s load.Summary, busy float64) result.Audit {
	var spent time.Duration
	for _, r := range requests {
		spent += max(0, min(r.Ended, s.To)-max(r.Sent, s.From))
	}
	law := spent.Seconds() / (s.To - s.From).Seconds()
	return audit("Little's law, clients", busy, law,
		"%.1f requests were waited for at a time, and throughput times latency is %.1f")
}

// serverAudit compares the requests that were seen in the server with throughput times the time in it, by
// Server-Timing. The law is of a server that is as full at the end as at the beginning: the window begins when as many
// right replies have come as requests are in the server, and must be long enough for as many again. Otherwise there is
// no audit.
func serverAudit(requests []load.Request, round int, about float64, samples []result.Sample) (result.Audit, bool) {
	var replies []load.Request
	for _, r := range requests {
		if r.Class == load.Answered && r.Queued >= 0 && r.Worked >= 0 {
			replies = append(replies, r)
		}
	}
	slices.SortFunc(replies, func(a, b load.Request) int { return cmp.Compare(a.Ended, b.Ended) })
	if !(about >= 0 && about < float64(len(replies))) { // the server says so itself, and may say anything
		return result.Audit{}, false
	}
	full := round * int(math.Ceil(about/float64(round)))
	rounds := (len(replies) - 1 - full) / round
	if rounds*round < max(1, full) {
		return result.Audit{}, false
	}
	from, to := replies[full].Ended, replies[full+rounds*round].Ended
	seen, n := mean(samples, from, to, inServer)
	if n < auditSamples {
		return result.Audit{}, false
	}
	var spent time.Duration
	for _, r := range requests { // those that were refused after a wait, too
		if r.Ended > from && r.Ended <= to && r.Queued >= 0 && r.Worked >= 0 {
			spent += micros(r.Queued) + micros(r.Worked)
		}
	}
	return audit("Little's law, server", seen, spent.Seconds()/(to-from).Seconds(),
		"%.1f requests were queued or running at a time, and throughput times the time by Server-Timing is %.1f"), true
}

// gapAudit compares what the clients wait for and the server does not have with the kernel's accept queue, and with the
// connections that are accepted and have no request in the server: theirs may be waiting to be read. Some of it is
// neither, but on its way between the two; of clients that are refused and try again at once, most is.
func gapAudit(busy, inServer, accept, unread float64) result.Audit {
	gap := busy - inServer
	a := audit(acceptAudit, gap, accept+max(0, min(unread, gap-accept)),
		"%.1f of the requests that the clients waited for had not reached the server, "+
			"and the accept queue and unread connections held %.1f")
	a.Broken = math.Abs(a.Left-a.Right) > max(auditLeast, onTheWay*busy)
	return a
}

// onTheWay is the share of the requests that may be neither in the accept queue nor in the server.
const onTheWay = 0.1

func audit(name string, left, right float64, format string) result.Audit {
	allowed := max(auditLeast, auditTolerance*max(left, right))
	return result.Audit{
		Name: name, Left: left, Right: right, Broken: math.Abs(left-right) > allowed, Text: fmt.Sprintf(format, left, right),
	}
}

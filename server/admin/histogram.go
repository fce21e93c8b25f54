package admin

import (
	"slices"
	"sync/atomic"
	"time"
)

// The histograms' upper bounds. Both are dense where the default work of 2 s puts its requests: work just above 2 s,
// where it shows how late a wake-up came, and waiting between the multiples of 2 s, which are the rounds that a request
// waited.
var (
	queueWaitBounds = []time.Duration{
		100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
		time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
		10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
		100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
		time.Second, 2500 * time.Millisecond, 5 * time.Second, 7 * time.Second, 9 * time.Second,
		15 * time.Second, 30 * time.Second, time.Minute,
	}
	workBounds = []time.Duration{
		time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
		10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
		100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
		time.Second, 1990 * time.Millisecond,
		2002 * time.Millisecond, 2010 * time.Millisecond, 2050 * time.Millisecond, 2250 * time.Millisecond,
		3 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute,
	}
)

// A histogram counts durations by bucket. It replaces Prometheus's own because /stats reads it too, and because adding
// whole nanoseconds costs less than adding floats.
type histogram struct {
	bounds []time.Duration
	counts []atomic.Uint64 // one more than bounds: the last is for what lies above them
	sum    atomic.Int64    // nanoseconds: 292 years of them fit
}

func newHistogram(bounds []time.Duration) *histogram {
	return &histogram{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

// observe counts d in the first bucket whose bound is at least d.
func (h *histogram) observe(d time.Duration) {
	bucket, _ := slices.BinarySearch(h.bounds, d)
	h.counts[bucket].Add(1)
	h.sum.Add(int64(d))
}

// A distribution is a histogram as it was at one moment.
type distribution struct {
	Count   uint64             `json:"count"`
	Sum     float64            `json:"sum"`  // seconds
	Mean    float64            `json:"mean"` // seconds, 0 for no observation
	buckets map[float64]uint64 // how many took at most so many seconds
}

// read takes the count from the buckets, so that the two agree while others observe.
func (h *histogram) read() distribution {
	d := distribution{Sum: time.Duration(h.sum.Load()).Seconds(), buckets: make(map[float64]uint64, len(h.bounds))}
	for i := range h.counts {
		d.Count += h.counts[i].Load()
		if i < len(h.bounds) {
			d.buckets[h.bounds[i].Seconds()] = d.Count
		}
	}
	if d.Count > 0 {
		d.Mean = d.Sum / float64(d.Count)
	}
	return d
}

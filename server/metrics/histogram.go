package metrics

import (
	"slices"
	"sync/atomic"
	"time"
)

// bounds are the upper bounds of both histograms: steps of at most 15% from 1 ms to 5 min, and coarse ones below. Prometheus
// interpolates within a bucket, so a quantile of a constant delay is off by up to the bucket's width. No bound is near a
// round delay: requests that all take the same time would be split between two buckets.
var bounds = makeBounds()

// bucketCount is the number of buckets of both histograms. The last is for durations above all bounds.
var bucketCount = len(bounds) + 1

func makeBounds() (bounds []time.Duration) {
	bounds = []time.Duration{109 * time.Microsecond, 245 * time.Microsecond, 482 * time.Microsecond, 949 * time.Microsecond}
	// 17 steps to a decade: 10^(1/17) is 1.145.
	mantissas := []time.Duration{109, 124, 142, 163, 187, 214, 245, 280, 321, 368, 421, 482, 552, 632, 724, 829, 949}
	for unit := 10 * time.Microsecond; ; unit *= 10 {
		for _, mantissa := range mantissas {
			bounds = append(bounds, mantissa*unit)
			if mantissa*unit > 5*time.Minute {
				return bounds
			}
		}
	}
}

// A histogram counts durations by bucket. It replaces the histogram of client_golang because /stats reads it too, and because
// adding whole nanoseconds costs less than adding floats.
type histogram struct {
	counts []atomic.Uint64 // by bucket
	sum    atomic.Int64    // nanoseconds, up to 292 years
}

func newHistogram() *histogram {
	return &histogram{counts: make([]atomic.Uint64, bucketCount)}
}

// observe counts d in the first bucket whose bound is at least d.
func (h *histogram) observe(d time.Duration) {
	bucket, _ := slices.BinarySearch(bounds, d)
	h.counts[bucket].Add(1)
	h.sum.Add(int64(d))
}

// A Distribution holds the number of durations that a histogram has counted, and their sum.
type Distribution struct {
	Count uint64  `json:"count"`
	Sum   float64 `json:"sum"`  // seconds
	Mean  float64 `json:"mean"` // seconds, 0 if Count is 0
}

// newDistribution returns the Distribution of a histogram with these buckets and this sum in seconds.
func newDistribution(buckets []uint64, sum float64) Distribution {
	d := Distribution{Sum: sum}
	for _, count := range buckets {
		d.Count += count
	}
	if d.Count > 0 {
		d.Mean = d.Sum / float64(d.Count)
	}
	return d
}

// read returns the histogram's state. The count comes from the buckets, so they agree even if observe runs at the same time.
func (h *histogram) read() (d Distribution, buckets []uint64) {
	sum := time.Duration(h.sum.Load()).Seconds()
	buckets = make([]uint64, bucketCount)
	for i := range h.counts {
		buckets[i] = h.counts[i].Load()
	}
	return newDistribution(buckets, sum), buckets
}

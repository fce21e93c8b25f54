package metrics

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Limits on the numbers of one process. A few of them can be added without overflow.
const (
	maxCount = 1 << 53 // the largest whole number that a float64 holds exactly
	maxGauge = math.MaxInt32
)

var (
	errName    = errors.New("unknown name, or one that appears twice")
	errValue   = errors.New("impossible value")
	errBuckets = errors.New("buckets that do not match the count, or are too few or too many")
)

// Check returns an error if s contains an unknown mode or kind of work, or an impossible number. It removes unknown metrics of
// the process. After that, s can be added to others and shown, even if another process made its numbers up.
func (s *Snapshot) Check(modes, kinds []string) error {
	if s.Mode != "" && !slices.Contains(modes, s.Mode) {
		return fmt.Errorf("mode: %w", errName)
	}
	if s.LogDropped > maxCount || !isGauge(s.Goroutines) {
		return errValue
	}
	if err := s.Process.check(); err != nil {
		return fmt.Errorf("process: %w", err)
	}
	for i := range s.Modes {
		m := &s.Modes[i]
		if !slices.Contains(modes, m.Mode) || slices.ContainsFunc(s.Modes[:i], func(o ModeSnapshot) bool { return o.Mode == m.Mode }) {
			return fmt.Errorf("mode: %w", errName)
		}
		if err := m.check(kinds); err != nil {
			return fmt.Errorf("mode %s: %w", m.Mode, err)
		}
	}
	return nil
}

func (m *ModeSnapshot) check(kinds []string) error {
	counts := slices.Concat(m.Requests[:], m.Closed[:], m.Failures[:], m.QueueWaitBuckets, m.WorkBuckets)
	counts = append(counts, m.QueueWait.Count, m.Work.Count)
	if slices.Max(counts) > maxCount || !isGauge(m.InFlight, m.Queued, m.Connections) {
		return errValue
	}
	for i, p := range m.Pools {
		if !slices.Contains(kinds, p.Kind) || i > 0 && p.Kind <= m.Pools[i-1].Kind {
			return fmt.Errorf("pool: %w", errName)
		}
		if !isGauge(p.Size, p.InUse, p.Waiting) {
			return fmt.Errorf("pool %s: %w", p.Kind, errValue)
		}
	}
	if m.Pools == nil {
		m.Pools = []Pool{}
	}
	if err := m.QueueWait.check(m.QueueWaitBuckets); err != nil {
		return fmt.Errorf("queue wait: %w", err)
	}
	if err := m.Work.check(m.WorkBuckets); err != nil {
		return fmt.Errorf("work: %w", err)
	}
	return nil
}

func (d *Distribution) check(buckets []uint64) error {
	if !(d.Sum >= 0 && d.Sum <= maxCount) {
		return errValue
	}
	if len(buckets) != bucketCount || *d != newDistribution(buckets, d.Sum) {
		return errBuckets
	}
	return nil
}

func isGauge(values ...int) bool { return slices.Min(values) >= 0 && slices.Max(values) <= maxGauge }

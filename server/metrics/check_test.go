package metrics

import (
	"errors"
	"math"
	"slices"
	"testing"
)

var knownModes, knownKinds = []string{"pool", "single"}, []string{"sleep", "sql"}

// TestCheck checks that an honest snapshot passes unchanged.
func TestCheck(t *testing.T) {
	s := observed(t).Snapshot()
	n := len(s.Process)
	if err := s.Check(knownModes, knownKinds); err != nil || len(s.Process) != n {
		t.Errorf("%v, and %d of %d metrics of the process stay", err, len(s.Process), n)
	}
	s.Process["unknown"] = []float64{1}
	if err := s.Check(knownModes, knownKinds); err != nil || len(s.Process) != n {
		t.Errorf("an unknown metric: %v, and %d metrics stay, want %d", err, len(s.Process), n)
	}
	if err := new(Snapshot).Check(knownModes, knownKinds); err != nil {
		t.Errorf("an empty snapshot: %v", err)
	}
}

// TestCheckRejects changes one thing of an honest snapshot.
func TestCheckRejects(t *testing.T) {
	const summary = "go_gc_duration_seconds"
	for name, row := range map[string]struct {
		change func(s *Snapshot, m *ModeSnapshot)
		want   error
	}{
		"unknown current mode":  {func(s *Snapshot, _ *ModeSnapshot) { s.Mode = "nothing" }, errName},
		"unknown mode":          {func(_ *Snapshot, m *ModeSnapshot) { m.Mode = "nothing" }, errName},
		"no mode":               {func(_ *Snapshot, m *ModeSnapshot) { m.Mode = "" }, errName},
		"the same mode twice":   {func(s *Snapshot, m *ModeSnapshot) { s.Modes = append(s.Modes, *m) }, errName},
		"unknown kind":          {func(_ *Snapshot, m *ModeSnapshot) { m.Pools[0].Kind = "nothing" }, errName},
		"the same kind twice":   {func(_ *Snapshot, m *ModeSnapshot) { m.Pools = append(m.Pools, m.Pools[0]) }, errName},
		"too many lines of log": {func(s *Snapshot, _ *ModeSnapshot) { s.LogDropped = math.MaxUint64 }, errValue},
		"negative goroutines":   {func(s *Snapshot, _ *ModeSnapshot) { s.Goroutines = -1 }, errValue},
		"too many requests":     {func(_ *Snapshot, m *ModeSnapshot) { m.Requests[3] = math.MaxUint64 }, errValue},
		"too many connections":  {func(_ *Snapshot, m *ModeSnapshot) { m.Closed[3] = math.MaxUint64 }, errValue},
		"too many failures":     {func(_ *Snapshot, m *ModeSnapshot) { m.Failures[0] = math.MaxUint64 }, errValue},
		"negative in flight":    {func(_ *Snapshot, m *ModeSnapshot) { m.InFlight = -1 }, errValue},
		"too many queued":       {func(_ *Snapshot, m *ModeSnapshot) { m.Queued = math.MaxInt }, errValue},
		"negative pool":         {func(_ *Snapshot, m *ModeSnapshot) { m.Pools[0].InUse = -1 }, errValue},

		"no buckets":             {func(_ *Snapshot, m *ModeSnapshot) { m.WorkBuckets = nil }, errBuckets},
		"a bucket less":          {func(_ *Snapshot, m *ModeSnapshot) { m.WorkBuckets = m.WorkBuckets[1:] }, errBuckets},
		"a bucket more":          {func(_ *Snapshot, m *ModeSnapshot) { m.QueueWaitBuckets = append(m.QueueWaitBuckets, 0) }, errBuckets},
		"another count":          {func(_ *Snapshot, m *ModeSnapshot) { m.Work.Count++ }, errBuckets},
		"another mean":           {func(_ *Snapshot, m *ModeSnapshot) { m.Work.Mean++ }, errBuckets},
		"too many in a bucket":   {func(_ *Snapshot, m *ModeSnapshot) { m.WorkBuckets[0] = math.MaxUint64 }, errValue},
		"buckets that wrap":      {func(_ *Snapshot, m *ModeSnapshot) { m.QueueWait.Count = math.MaxUint64 }, errValue},
		"a negative sum":         {func(_ *Snapshot, m *ModeSnapshot) { m.Work.Sum = -1 }, errValue},
		"a sum that is too long": {func(_ *Snapshot, m *ModeSnapshot) { m.Work.Sum = 1e300 }, errValue},
		"a sum of NaN":           {func(_ *Snapshot, m *ModeSnapshot) { m.Work.Sum = math.NaN() }, errValue},

		"a gauge without a value":  {func(s *Snapshot, _ *ModeSnapshot) { s.Process["go_goroutines"] = nil }, errValue},
		"a gauge with two":         {func(s *Snapshot, _ *ModeSnapshot) { s.Process["go_goroutines"] = []float64{1, 2} }, errValue},
		"an infinite gauge":        {func(s *Snapshot, _ *ModeSnapshot) { s.Process["go_goroutines"] = []float64{math.Inf(1)} }, errValue},
		"a negative counter":       {func(s *Snapshot, _ *ModeSnapshot) { s.Process["go_memstats_frees_total"] = []float64{-1} }, errValue},
		"a summary without counts": {func(s *Snapshot, _ *ModeSnapshot) { s.Process[summary] = s.Process[summary][1:] }, errValue},
		"a negative summary":       {func(s *Snapshot, _ *ModeSnapshot) { s.Process[summary][0] = -1 }, errValue},
	} {
		t.Run(name, func(t *testing.T) {
			s := observed(t).Snapshot()
			s.Process[summary] = slices.Clone(s.Process[summary])
			row.change(s, &s.Modes[0])
			if err := s.Check(knownModes, knownKinds); !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
		})
	}
}

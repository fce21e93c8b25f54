package metrics

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"demo-server/server"
	"demo-server/work"
)

// SnapshotPath is the path of the Snapshot on the private admin listener of a worker process. It is sent as JSON.
const SnapshotPath = "/snapshot"

// A Snapshot holds all numbers of a process at one moment. Snapshots of several processes can be added up.
type Snapshot struct {
	Mode        string       `json:"mode"`              // the current mode; empty before the first
	AcceptQueue *AcceptQueue `json:"-"`                 // nil if it cannot be read; the same for all processes that share a socket
	LogDropped  uint64       `json:"log_lines_dropped"` // lines
	Goroutines  int          `json:"goroutines"`
	Modes       ModeList     `json:"modes"`
	Process     Process      `json:"process"` // empty in sums
}

// A ModeList holds the numbers of several modes. It cannot be read from JSON if it has more than maxModes elements: an empty
// one takes three bytes of JSON, but 500 bytes of memory.
type ModeList []ModeSnapshot

const maxModes = 32

func (l *ModeList) UnmarshalJSON(text []byte) error {
	var elements []json.RawMessage
	if err := json.Unmarshal(text, &elements); err != nil {
		return err
	}
	if len(elements) > maxModes {
		return fmt.Errorf("%d modes; want at most %d", len(elements), maxModes)
	}
	*l = make(ModeList, len(elements))
	for i, element := range elements {
		if err := json.Unmarshal(element, &(*l)[i]); err != nil {
			return err
		}
	}
	return nil
}

// A ModeSnapshot holds the numbers of one mode, with the counts in each bucket of its histograms.
type ModeSnapshot struct {
	ModeStats
	QueueWaitBuckets []uint64 `json:"queue_wait_buckets"`
	WorkBuckets      []uint64 `json:"work_buckets"`
}

// ModeStats holds the numbers of one mode. A mode that has ended keeps its counts.
type ModeStats struct {
	Mode        string       `json:"mode"`
	Requests    Requests     `json:"requests"`
	InFlight    int          `json:"in_flight"`
	Queued      int          `json:"queued"`
	Connections int          `json:"connections"`
	Closed      Closed       `json:"connections_closed"`
	QueueWait   Distribution `json:"queue_wait_seconds"`
	Work        Distribution `json:"work_seconds"`
	Failures    Failures     `json:"work_failures"`
	Pools       []Pool       `json:"work_pools"` // sorted by kind, not nil
}

// AcceptQueue is the state of the kernel's queue of connections, in connections.
type AcceptQueue struct {
	Depth int `json:"depth"`
	Limit int `json:"limit"`
}

// A Pool is the state of a limited resource of a kind of work: connections, slots or threads.
type Pool struct {
	Kind    string `json:"kind"`
	Size    int    `json:"size"`
	InUse   int    `json:"in_use"`
	Waiting int    `json:"waiting"`
}

// Counts in the order of server.Outcomes, server.CloseCauses and work.Causes. In JSON they are objects with names as keys.
type (
	Requests [server.NumOutcomes]uint64    // finished requests
	Closed   [server.NumCloseCauses]uint64 // connections
	Failures [len(work.Causes)]uint64      // requests that failed because of a dependency
)

// The names of the counts, in the same order.
var (
	requestLabels = labelsOf(server.Outcomes())
	closedLabels  = labelsOf(server.CloseCauses())
	failureLabels = labelsOf(work.Causes[:])
)

func labelsOf[K any](all []K) (labels []string) {
	for _, one := range all {
		labels = append(labels, fmt.Sprint(one))
	}
	return labels
}

func (r Requests) MarshalJSON() ([]byte, error) { return marshalCounts(requestLabels, r[:]) }
func (c Closed) MarshalJSON() ([]byte, error)   { return marshalCounts(closedLabels, c[:]) }
func (f Failures) MarshalJSON() ([]byte, error) { return marshalCounts(failureLabels, f[:]) }

func (r *Requests) UnmarshalJSON(text []byte) error {
	return unmarshalCounts(text, requestLabels, r[:])
}
func (c *Closed) UnmarshalJSON(text []byte) error { return unmarshalCounts(text, closedLabels, c[:]) }
func (f *Failures) UnmarshalJSON(text []byte) error {
	return unmarshalCounts(text, failureLabels, f[:])
}

func marshalCounts(labels []string, counts []uint64) ([]byte, error) {
	byLabel := make(map[string]uint64, len(counts))
	for i, count := range counts {
		byLabel[labels[i]] = count
	}
	return json.Marshal(byLabel) // sorted by label
}

func unmarshalCounts(text []byte, labels []string, counts []uint64) error {
	var byLabel map[string]uint64
	if err := json.Unmarshal(text, &byLabel); err != nil {
		return err
	}
	for label, count := range byLabel {
		i := slices.Index(labels, label)
		if i < 0 {
			return fmt.Errorf("unknown name %.64q", label)
		}
		counts[i] = count
	}
	return nil
}

// newModeSnapshot returns the numbers of a mode, all 0.
func newModeSnapshot(mode string) ModeSnapshot {
	return ModeSnapshot{
		ModeStats:        ModeStats{Mode: mode, Pools: []Pool{}},
		QueueWaitBuckets: make([]uint64, bucketCount), WorkBuckets: make([]uint64, bucketCount),
	}
}

// Add adds the numbers of another process to s, mode by mode. It leaves Mode, AcceptQueue and Process as they are. It does
// not change other, and s shares no memory with it.
func (s *Snapshot) Add(other *Snapshot) {
	s.LogDropped += other.LogDropped
	s.Goroutines += other.Goroutines
	for i := range other.Modes {
		s.find(other.Modes[i].Mode).add(&other.Modes[i])
	}
}

// find returns the numbers of a mode, and adds them if there are none.
func (s *Snapshot) find(mode string) *ModeSnapshot {
	i := slices.IndexFunc(s.Modes, func(m ModeSnapshot) bool { return m.Mode == mode })
	if i < 0 {
		i, s.Modes = len(s.Modes), append(s.Modes, newModeSnapshot(mode))
	}
	return &s.Modes[i]
}

func (m *ModeSnapshot) add(other *ModeSnapshot) {
	addCounts(m.Requests[:], other.Requests[:])
	addCounts(m.Closed[:], other.Closed[:])
	addCounts(m.Failures[:], other.Failures[:])
	addCounts(m.QueueWaitBuckets, other.QueueWaitBuckets)
	addCounts(m.WorkBuckets, other.WorkBuckets)
	m.QueueWait = newDistribution(m.QueueWaitBuckets, m.QueueWait.Sum+other.QueueWait.Sum)
	m.Work = newDistribution(m.WorkBuckets, m.Work.Sum+other.Work.Sum)
	m.InFlight += other.InFlight
	m.Queued += other.Queued
	m.Connections += other.Connections
	for _, p := range other.Pools {
		i, found := slices.BinarySearchFunc(m.Pools, p, comparePools)
		if !found {
			m.Pools = slices.Insert(m.Pools, i, Pool{Kind: p.Kind})
		}
		m.Pools[i].Size += p.Size
		m.Pools[i].InUse += p.InUse
		m.Pools[i].Waiting += p.Waiting
	}
}

func comparePools(a, b Pool) int { return strings.Compare(a.Kind, b.Kind) }

func addCounts(sum, counts []uint64) {
	for i, count := range counts {
		sum[i] += count
	}
}

// Counts returns a copy of s without gauges. It is the part that stays when the process has ended.
func (s *Snapshot) Counts() *Snapshot {
	counts := new(Snapshot)
	counts.Add(s)
	counts.Goroutines = 0
	for i := range counts.Modes {
		m := &counts.Modes[i]
		m.InFlight, m.Queued, m.Connections, m.Pools = 0, 0, 0, []Pool{}
	}
	return counts
}

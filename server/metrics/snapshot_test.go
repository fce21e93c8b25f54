package metrics

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"demo-server/server"
)

// sent returns s as another process receives it.
func sent(t testing.TB, s *Snapshot) *Snapshot {
	t.Helper()
	wire, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	received := new(Snapshot)
	if err := json.Unmarshal(wire, received); err != nil {
		t.Fatal(err)
	}
	return received
}

func TestSnapshotAsJSON(t *testing.T) {
	want := observed(t).Snapshot()
	want.AcceptQueue = nil
	if diff := cmp.Diff(want, sent(t, want)); diff != "" {
		t.Errorf("(-sent +received):\n%s", diff)
	}
}

// TestSnapshotAdd checks that Add does not change its argument, not even through a sum that was added to twice.
func TestSnapshotAdd(t *testing.T) {
	s := observed(t).Snapshot()
	before := sent(t, s)
	before.AcceptQueue = s.AcceptQueue
	twice := new(Snapshot)
	twice.Add(s)
	twice.Add(s)
	if diff := cmp.Diff(before, s); diff != "" {
		t.Errorf("to add has changed it (-before +after):\n%s", diff)
	}
	was, is := s.Modes[0], twice.Modes[0]
	if is.Requests[server.Wasted] != 2*was.Requests[server.Wasted] || is.Work.Sum != 2*was.Work.Sum || is.Work.Mean != was.Work.Mean ||
		is.InFlight != 2*was.InFlight || is.Pools[0].Size != 2*was.Pools[0].Size {
		t.Errorf("twice %+v is %+v", was, is)
	}
	if counts := twice.Counts().Modes[0]; counts.Requests != is.Requests || counts.Work != is.Work || counts.InFlight != 0 || len(counts.Pools) > 0 {
		t.Errorf("the counts of %+v are %+v", is, counts)
	}
}

package eventloop

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestTimers adds and removes entries at random, takes them out as they become due, and compares with a sorted list.
func TestTimers(t *testing.T) {
	for _, row := range []struct {
		name  string
		delay func(*rand.Rand) time.Duration
		heap  bool // some are due before the last in the list
	}{
		{"all wait equally long", func(*rand.Rand) time.Duration { return 2 * time.Second }, false},
		{"a few wait longer", func(r *rand.Rand) time.Duration {
			return 2*time.Second + time.Duration(r.IntN(10)/9)*time.Minute
		}, true},
		{"any", func(r *rand.Rand) time.Duration { return time.Duration(r.IntN(5000)) * time.Millisecond }, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			var line timers
			var want []*conn // by due time, then by order of arrival
			heaped := false
			now := time.Duration(0)
			for range 5000 {
				now += time.Duration(r.IntN(10)) * time.Millisecond
				switch r.IntN(3) {
				case 0, 1:
					c := &conn{perConnection: perConnection{place: notWaiting}}
					line.add(c, now+row.delay(r))
					at, _ := slices.BinarySearchFunc(want, c.due+1, func(o *conn, due time.Duration) int { return int(o.due - due) })
					want = slices.Insert(want, at, c)
					heaped = heaped || len(line.early) > 0
				case 2:
					if len(want) == 0 {
						continue
					}
					at := r.IntN(len(want))
					c := want[at]
					if !line.remove(c) || line.remove(c) {
						t.Fatal("remove does not tell whether it removed")
					}
					want = slices.Delete(want, at, at+1)
				}
				for len(want) > 0 && want[0].due <= now {
					c := line.next()
					if c == nil || c.due != want[0].due {
						t.Fatalf("next is due at %v, want %v", c, want[0].due)
					}
					line.remove(c)
					want = slices.DeleteFunc(want, func(o *conn) bool { return o == c })
				}
			}
			for range want {
				line.remove(line.next())
			}
			if line.next() != nil || line.first != nil || line.last != nil || len(line.early) != 0 {
				t.Errorf("something is left: %+v", line)
			}
			if heaped != row.heap {
				t.Errorf("the heap was used: %v, want %v", heaped, row.heap)
			}
		})
	}
}

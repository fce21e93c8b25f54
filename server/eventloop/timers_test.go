package eventloop

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestTimers adds and removes entries at random, and takes them out by time: what comes is what a sorted list says.
func TestTimers(t *testing.T) {
	for _, row := range []struct {
		name  string
		delay func(*rand.Rand) time.Duration
		heap  bool // some are due before the last in line
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
			var want []*session // by due, and by order of arrival
			heaped := false
			now := time.Duration(0)
			for range 5000 {
				now += time.Duration(r.IntN(10)) * time.Millisecond
				switch r.IntN(3) {
				case 0, 1:
					s := &session{visit: visit{place: notWaiting}}
					line.add(s, now+row.delay(r))
					at, _ := slices.BinarySearchFunc(want, s.due+1, func(o *session, due time.Duration) int { return int(o.due - due) })
					want = slices.Insert(want, at, s)
					heaped = heaped || len(line.early) > 0
				case 2:
					if len(want) == 0 {
						continue
					}
					at := r.IntN(len(want))
					s := want[at]
					if !line.remove(s) || line.remove(s) {
						t.Fatal("remove does not tell whether it removed")
					}
					want = slices.Delete(want, at, at+1)
				}
				for len(want) > 0 && want[0].due <= now {
					s := line.next()
					if s == nil || s.due != want[0].due {
						t.Fatalf("next is due at %v, want %v", s, want[0].due)
					}
					line.remove(s)
					want = slices.DeleteFunc(want, func(o *session) bool { return o == s })
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

package admission_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"demo-server/server/admission"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A diary records the calls of tickets' owners, in order and with their times.
type diary struct {
	mu      sync.Mutex
	began   time.Time
	entries []string
}

func newDiary() *diary { return &diary{began: time.Now()} }

func (d *diary) write(name, what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = append(d.entries, fmt.Sprintf("%v %s %s", time.Since(d.began), name, what))
}

func (d *diary) wants(t *testing.T, want ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if diff := cmp.Diff(want, d.entries); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// A customer owns a ticket.
type customer struct {
	admission.Ticket
	name  string
	diary *diary
}

func (d *diary) customer(name string) *customer {
	c := &customer{name: name, diary: d}
	c.Owner = c
	return c
}

func (c *customer) Start()    { c.diary.write(c.name, "starts") }
func (c *customer) TimedOut() { c.diary.write(c.name, "times out") }

// enter enters customers with these names, a second apart.
func (d *diary) enter(t *testing.T, q *admission.Queue, names ...string) []*customer {
	t.Helper()
	var customers []*customer
	for i, name := range names {
		if i > 0 {
			time.Sleep(time.Second)
		}
		c := d.customer(name)
		if err := q.Enter(&c.Ticket); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		customers = append(customers, c)
	}
	return customers
}

func TestFirstInFirstOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, d := admission.New(admission.Limits{Places: 2, Length: 9}), newDiary()
		d.enter(t, q, "a", "b", "c", "d", "e")
		if q.Len() != 3 {
			t.Errorf("%d wait, want 3", q.Len())
		}
		for range 3 {
			time.Sleep(time.Second)
			q.Release()
		}
		d.wants(t, "0s a starts", "1s b starts", "5s c starts", "6s d starts", "7s e starts")
		if q.Len() != 0 {
			t.Errorf("%d wait, want 0", q.Len())
		}
	})
}

// TestFull checks how many of five simultaneous tickets start, wait and are refused.
func TestFull(t *testing.T) {
	for _, row := range []struct {
		limits                 admission.Limits
		start, wait, turnedOut int
	}{
		{admission.Limits{Places: 1, Length: 0}, 1, 0, 4},
		{admission.Limits{Places: 1, Length: 1}, 1, 1, 3},
		{admission.Limits{Places: 2, Length: 2}, 2, 2, 1},
		{admission.Limits{Places: 2, Length: 3}, 2, 3, 0},
		{admission.Limits{Places: 5, Length: 0}, 5, 0, 0},
		{admission.Limits{Places: 9, Length: 9}, 5, 0, 0},
	} {
		q, d := admission.New(row.limits), newDiary()
		refused := 0
		for range 5 {
			switch err := q.Enter(&d.customer("x").Ticket); {
			case errors.Is(err, admission.ErrFull):
				refused++
			case err != nil:
				t.Fatal(err)
			}
		}
		if len(d.entries) != row.start || q.Len() != row.wait || refused != row.turnedOut {
			t.Errorf("%+v: %d start, %d wait, %d refused; want %d, %d, %d",
				row.limits, len(d.entries), q.Len(), refused, row.start, row.wait, row.turnedOut)
		}
		if q.Limits() != row.limits {
			t.Errorf("Limits are %+v, want %+v", q.Limits(), row.limits)
		}
	}
}

// TestPlaceGivenBack checks that a released place is free for the next ticket.
func TestPlaceGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, d := admission.New(admission.Limits{Places: 1}), newDiary()
		for _, name := range []string{"a", "b"} {
			d.enter(t, q, name)
			if err := q.Enter(&d.customer("late").Ticket); !errors.Is(err, admission.ErrFull) {
				t.Errorf("beside %s: %v, want ErrFull", name, err)
			}
			q.Release()
		}
		d.wants(t, "0s a starts", "0s b starts")
	})
}

func TestTimeout(t *testing.T) {
	const timeout = 10 * time.Second
	for _, row := range []struct {
		name    string
		timeout time.Duration
		then    func(*admission.Queue, []*customer) // once a has a place, and b, c, d have waited since 1 s, 2 s, 3 s
		want    []string
	}{
		{"each after its own wait", timeout, nil, []string{"11s b times out", "12s c times out", "13s d times out"}},
		{"0 is for ever", 0, nil, nil},
		{
			"the head leaves", timeout,
			func(q *admission.Queue, c []*customer) { q.Remove(&c[1].Ticket) },
			[]string{"12s c times out", "13s d times out"},
		},
		{
			"one in the middle leaves", timeout,
			func(q *admission.Queue, c []*customer) { q.Remove(&c[2].Ticket) },
			[]string{"11s b times out", "13s d times out"},
		},
		{
			"the head starts", timeout,
			func(q *admission.Queue, _ []*customer) { q.Release() },
			[]string{"3s b starts", "12s c times out", "13s d times out"},
		},
		{
			"all start", timeout,
			func(q *admission.Queue, _ []*customer) { q.Release(); q.Release(); q.Release() },
			[]string{"3s b starts", "3s c starts", "3s d starts"},
		},
		{"closed", timeout, func(q *admission.Queue, _ []*customer) { q.Close() }, nil},
		{
			"closed, and a place is free later", timeout,
			func(q *admission.Queue, _ []*customer) { q.Close(); time.Sleep(time.Minute); q.Release() },
			[]string{"1m3s b starts"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, d := admission.New(admission.Limits{Places: 1, Length: 9, Timeout: row.timeout}), newDiary()
				customers := d.enter(t, q, "a", "b", "c", "d")
				if row.then != nil {
					row.then(q, customers)
				}
				time.Sleep(time.Hour)
				d.wants(t, append([]string{"0s a starts"}, row.want...)...)
				q.Close()
			})
		})
	}
}

// TestTimeoutTogether checks that tickets that entered together time out together and in order.
func TestTimeoutTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, d := admission.New(admission.Limits{Places: 1, Length: 9, Timeout: time.Second}), newDiary()
		for _, name := range []string{"a", "b", "c"} {
			d.enter(t, q, name)
		}
		time.Sleep(time.Minute)
		d.enter(t, q, "d") // the timer runs again after a quiet time
		time.Sleep(time.Minute)
		d.wants(t, "0s a starts", "1s b times out", "1s c times out", "1m1s d times out")
		q.Close()
	})
}

// TestRemove checks that Remove removes the waiting ticket and no other.
func TestRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, d := admission.New(admission.Limits{Places: 1, Length: 9, Timeout: 10 * time.Second}), newDiary()
		c := d.enter(t, q, "started", "waits", "times out")
		for _, step := range []struct {
			who  *customer
			want bool
		}{{c[0], false}, {c[1], true}, {c[1], false}, {d.customer("stranger"), false}} {
			if got := q.Remove(&step.who.Ticket); got != step.want {
				t.Errorf("Remove(%s) is %v, want %v", step.who.name, got, step.want)
			}
		}
		time.Sleep(time.Minute)
		if q.Remove(&c[2].Ticket) {
			t.Error("removed a ticket that had timed out")
		}
		q.Close()
	})
}

// TestTicketAgain checks that a ticket may enter again after any result.
func TestTicketAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, d := admission.New(admission.Limits{Places: 1, Length: 9, Timeout: time.Second}), newDiary()
		c := d.enter(t, q, "x")[0]
		other := d.customer("y")
		again := func() {
			t.Helper()
			if err := q.Enter(&other.Ticket); err != nil {
				t.Fatal(err)
			}
		}
		again()
		q.Remove(&other.Ticket)
		again()
		time.Sleep(2 * time.Second)
		again()
		q.Release()
		q.Release()
		if err := q.Enter(&c.Ticket); err != nil {
			t.Fatal(err)
		}
		d.wants(t, "0s x starts", "1s y times out", "2s y starts", "2s x starts")
		q.Close()
	})
}

func TestNoAllocations(t *testing.T) {
	q := admission.New(admission.Limits{Places: 1, Length: 9, Timeout: time.Hour})
	defer q.Close()
	var first, second idle
	first.Owner, second.Owner = &first, &second
	round := func() {
		q.Enter(&first.Ticket)
		q.Enter(&second.Ticket)
		q.Release()
		q.Release()
	}
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations for two tickets, want none", n)
	}
}

type idle struct{ admission.Ticket }

func (*idle) Start()    {}
func (*idle) TimedOut() {}

// TestModel compares a queue with a simple model, under random operations.
func TestModel(t *testing.T) {
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) { testModel(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func testModel(t *testing.T, random *rand.Rand) {
	limits := admission.Limits{Places: 1 + random.IntN(3), Length: random.IntN(4), Timeout: time.Duration(random.IntN(3)) * 3 * time.Second}
	q := admission.New(limits)
	defer q.Close()
	d := newDiary()
	customers := make([]*customer, 8)
	for i := range customers {
		customers[i] = d.customer(fmt.Sprint(i))
	}
	m := &model{limits: limits, since: map[string]time.Time{}, diary: newDiary()}
	for range 60 {
		c := customers[random.IntN(len(customers))]
		switch random.IntN(4) {
		case 0:
			if m.idle(c.name) {
				if got, want := q.Enter(&c.Ticket) == nil, m.enter(c.name); got != want {
					t.Fatalf("%s entered: %v, want %v", c.name, got, want)
				}
			}
		case 1:
			if got, want := q.Remove(&c.Ticket), m.remove(c.name); got != want {
				t.Fatalf("%s removed: %v, want %v", c.name, got, want)
			}
		case 2:
			if len(m.working) > 0 {
				m.release(random.IntN(len(m.working)))
				q.Release()
			}
		case 3:
			time.Sleep(time.Duration(random.IntN(3)) * time.Second)
			synctest.Wait()
			m.expire()
		}
		if q.Len() != len(m.waiting) {
			t.Fatalf("%d wait, want %v", q.Len(), m.waiting)
		}
	}
	d.wants(t, m.diary.entries...)
}

type model struct {
	limits           admission.Limits
	working, waiting []string
	since            map[string]time.Time
	diary            *diary
}

func (m *model) idle(name string) bool {
	return !slices.Contains(m.working, name) && !slices.Contains(m.waiting, name)
}

func (m *model) enter(name string) bool {
	switch {
	case len(m.working) < m.limits.Places:
		m.start(name)
	case len(m.waiting) < m.limits.Length:
		m.waiting = append(m.waiting, name)
		m.since[name] = time.Now()
	default:
		return false
	}
	return true
}

func (m *model) start(name string) {
	m.working = append(m.working, name)
	m.diary.write(name, "starts")
}

func (m *model) remove(name string) bool {
	i := slices.Index(m.waiting, name)
	if i < 0 {
		return false
	}
	m.waiting = slices.Delete(m.waiting, i, i+1)
	return true
}

func (m *model) release(i int) {
	m.working = slices.Delete(m.working, i, i+1)
	if len(m.waiting) > 0 {
		next := m.waiting[0]
		m.waiting = m.waiting[1:]
		m.start(next)
	}
}

// expire removes tickets that have waited too long. Their time is the end of the wait, not the time of the check.
func (m *model) expire() {
	for m.limits.Timeout > 0 && len(m.waiting) > 0 {
		late := m.since[m.waiting[0]].Add(m.limits.Timeout)
		if late.After(time.Now()) {
			return
		}
		m.diary.entries = append(m.diary.entries, fmt.Sprintf("%v %s times out", late.Sub(m.diary.began), m.waiting[0]))
		m.waiting = m.waiting[1:]
	}
}

// TestConcurrently checks for races that each ticket is started, timed out or removed exactly once, and that no more
// owners work than there are places.
func TestConcurrently(t *testing.T) {
	const places, clients, rounds = 3, 16, 300
	q := admission.New(admission.Limits{Places: places, Length: clients, Timeout: 50 * time.Microsecond})
	defer q.Close()
	shared := &crowd{queue: q}
	var wait sync.WaitGroup
	for range clients {
		wait.Go(func() {
			m := &member{crowd: shared, told: make(chan bool, 2)}
			m.Owner = m
			for i := range rounds {
				m.round(t, i%3 == 0)
			}
		})
	}
	wait.Wait()
	if shared.most.Load() > places || shared.working.Load() != 0 || q.Len() != 0 {
		t.Errorf("at most %d worked at a time, %d still do, %d wait; want at most %d, 0, 0",
			shared.most.Load(), shared.working.Load(), q.Len(), places)
	}
}

type crowd struct {
	queue         *admission.Queue
	working, most atomic.Int64
}

type member struct {
	admission.Ticket
	crowd *crowd
	told  chan bool // true to start
}

func (m *member) Start() {
	n := m.crowd.working.Add(1)
	for limit := m.crowd.most.Load(); n > limit && !m.crowd.most.CompareAndSwap(limit, n); limit = m.crowd.most.Load() {
	}
	m.told <- true
}

func (m *member) TimedOut() { m.told <- false }

func (m *member) round(t *testing.T, leaves bool) {
	if m.crowd.queue.Enter(&m.Ticket) != nil {
		return
	}
	if leaves && m.crowd.queue.Remove(&m.Ticket) {
		return
	}
	if <-m.told {
		m.crowd.working.Add(-1)
		m.crowd.queue.Release()
	}
	if len(m.told) > 0 {
		t.Error("told twice")
	}
}

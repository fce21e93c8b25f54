package transport

import (
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"demo-server/server/http1"
)

// TestRegister checks that an event finds its connection while that is open, and never the next one in the same entry.
func TestRegister(t *testing.T) {
	tracker := trackWires(t, newApp())
	first, second := accept(t, tracker), accept(t, tracker)
	if tracker.find(first.index, first.generation) != first || tracker.find(second.index, second.generation) != second {
		t.Fatal("an open connection is not found")
	}
	first.Close()
	if tracker.find(first.index, first.generation) != nil {
		t.Error("a closed connection is found")
	}
	third := accept(t, tracker)
	if third.index != first.index {
		t.Fatalf("seat %d, want the free one, %d", third.index, first.index)
	}
	if tracker.find(first.index, first.generation) != nil {
		t.Error("a stale event finds the connection that has the seat now")
	}
	if tracker.find(third.index, third.generation) != third {
		t.Error("the connection in a seat that was used before is not found")
	}
	if tracker.find(99, 0) != nil {
		t.Error("found in a seat that does not exist")
	}
	if got := len(tracker.all(nil)); got != 2 {
		t.Errorf("%d are open, want 2", got)
	}
	second.Close()
	third.Close()
}

// TestClosedTwice checks a second Close, which net/http calls after a failed write.
func TestClosedTwice(t *testing.T) {
	app := newApp()
	tracker := trackWires(t, app)
	c, other := accept(t, tracker), accept(t, tracker)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	next := accept(t, tracker)
	if err := c.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed again: %v, want %v", err, net.ErrClosed)
	}
	if app.Connections() != 2 || len(tracker.slots) != 2 || tracker.find(next.index, next.generation) != next || c.Conn.(*wire).closes != 1 {
		t.Errorf("%d connections, %d slots taken, closed %d times; want 2, 2, 1",
			app.Connections(), len(tracker.slots), c.Conn.(*wire).closes)
	}
	other.Close()
	next.Close()
}

// TestSlots checks that Accept waits at the limit until a connection closes.
func TestSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := newApp()
		tracker := trackWires(t, app)
		var open []*conn
		for range testLimits().MaxConnections {
			open = append(open, accept(t, tracker))
		}
		var waiting sync.WaitGroup
		waiting.Go(func() { open = append(open[1:], accept(t, tracker)) })
		synctest.Wait()
		if app.Connections() != testLimits().MaxConnections {
			t.Errorf("%d connections, want the limit, %d", app.Connections(), testLimits().MaxConnections)
		}
		open[0].Close()
		waiting.Wait()
		if app.Connections() != testLimits().MaxConnections {
			t.Errorf("%d connections after one has made room, want %d", app.Connections(), testLimits().MaxConnections)
		}
		for _, c := range open {
			c.Close()
		}
		if app.Connections() != 0 || len(tracker.slots) != 0 {
			t.Errorf("%d connections, %d slots taken at last", app.Connections(), len(tracker.slots))
		}
	})
}

// TestOldApp checks that a connection's time starts with its accept, even if the app is much older.
func TestOldApp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := newApp()
		time.Sleep(time.Hour)
		tracker := trackWires(t, app)
		c := accept(t, tracker)
		time.Sleep(testLimits().ReadHeaderTimeout)
		synctest.Wait()
		if read, _ := expired(c); read {
			t.Error("timed out before its time")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if read, _ := expired(c); !read {
			t.Error("not timed out in time")
		}
		c.Close()
	})
}

// TestKill checks that connections are cut after the drain deadline and its grace.
func TestKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := newApp()
		tracker := trackWires(t, app)
		c := accept(t, tracker)
		c.begin("GET", "/", "")
		app.ExpireDrain()
		synctest.Wait()
		if _, write := expired(c); write || c.job.Err() == nil {
			t.Error("at the deadline its job is not cancelled, or it is cut at once")
		}
		time.Sleep(http1.KillGrace)
		synctest.Wait()
		if read, write := expired(c); !read || !write {
			t.Error("not cut after the grace")
		}
		c.job.Refuse(nil)
		c.Close()
	})
}

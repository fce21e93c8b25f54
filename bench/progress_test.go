package bench

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLines checks that a line every 5 s shows the row, the rate, the progress and the time left.
func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := NewLines(&out, 20*time.Second, 2)
		p.Begin("pool", 1, 10*time.Second-betweenRows)
		p.count(0, 1)
		time.Sleep(4 * time.Second)
		p.count(2*time.Second, 50)
		p.count(3*time.Second, 50) // no new replies between two rounds
		time.Sleep(5 * time.Second)
		p.End() // earlier than planned
		p.Begin("pool", 2, 10*time.Second-betweenRows)
		time.Sleep(2 * time.Second)
		p.Close()
		want := "pool, round 1 of 2, 25 requests/s  25%  15s left\npool, round 2 of 2  55%  9s left\n"
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", out.String(), want)
		}
	})
}

// TestNow checks that a long name is shortened, and a figure never.
func TestNow(t *testing.T) {
	for _, c := range []struct {
		row   string
		round int
		rate  float64
		want  string
	}{
		{"", 0, 0, ""},
		{"pool(50)", 2, 24.94, "pool(50), round 2 of 6, 24.9 requests/s"},
		{"single", 1, 0.5, "single, round 1 of 6, 0.5 requests/s"},
		{"goroutine", 1, 74432.4, "goroutine, round 1 of 6, 74432 requests/s"},
		{"thread", 1, 0, "thread, round 1 of 6"},
		{"eventloop(loops=1,patched=false) × block", 6, 98.34, "eventloop(loops=1,…, round 6 of 6, 98.3 requests/s"},
	} {
		p := &Progress{rounds: 6, row: c.row, round: c.round, rate: c.rate}
		got := p.now(barWidth)
		if got != c.want || len([]rune(got)) > barWidth {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestBar checks that the screen is restored at the end.
func TestBar(t *testing.T) {
	var out bytes.Buffer
	p := NewBar(&out, time.Second, 1)
	p.Begin("pool", 1, time.Second)
	time.Sleep(2 * barEvery)
	p.End()
	p.Close()
	if !strings.Contains(out.String(), "pool, round 1 of 1") {
		t.Errorf("drew %q", out.String())
	}
}

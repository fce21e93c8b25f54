package bench

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLines: a line every 5 s says what is measured, how far it is, and how long it still takes.
func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := NewLines(&out, 20*time.Second, 2)
		p.Begin("pool", 1, 10*time.Second-betweenRows)
		time.Sleep(9 * time.Second)
		p.End() // earlier than was planned
		p.Begin("pool", 2, 10*time.Second-betweenRows)
		time.Sleep(2 * time.Second)
		p.Close()
		want := "pool, round 1 of 2   25%, 15s left\npool, round 2 of 2   55%, 9s left\n"
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", out.String(), want)
		}
	})
}

// TestBar leaves the screen as it was.
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

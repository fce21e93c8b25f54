//go:build e2e

// These tests run against a real PostgreSQL:
//
//	go test -tags e2e ./work/remote
package remote_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"demo-server/internal/testkit"
	"demo-server/work"
	"demo-server/work/remote"
	"demo-server/work/remote/pgtest"
)

// query returns work with a number of connections to the server.
func query(t *testing.T, server *pgtest.Server, connections int) *remote.SQL {
	t.Helper()
	w, err := remote.NewSQL(server.DSN(), connections, testkit.Patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// TestSQLDelay is TestDelay for SQL.
func TestSQLDelay(t *testing.T) {
	const delay = 100 * time.Millisecond
	w := query(t, pgtest.Start(t), 2)
	if err := w.Check(t.Context()); err != nil {
		t.Error(err)
	}
	wantDelay(t, w, delay)
}

// TestSQLCancelled checks that a cancelled request also ends its query in the server, and is not a failure.
func TestSQLCancelled(t *testing.T) {
	const calls = 5
	server := pgtest.Start(t)
	w := query(t, server, calls)
	for range 2 { // the second time on new connections
		ctx, leave := context.WithCancel(t.Context())
		var ended []<-chan error
		for range calls {
			ended = append(ended, begin(ctx, w, forever))
		}
		testkit.Eventually(t, "all sleep in the server", func() bool { return server.Sleepers(t) == calls })
		left := time.Now()
		leave()
		for _, err := range ended {
			if err := <-err; err != context.Canceled {
				t.Errorf("got %v, want %v", err, context.Canceled)
			}
		}
		testkit.Eventually(t, "nobody sleeps in the server", func() bool { return server.Sleepers(t) == 0 })
		if took := time.Since(left); took > testkit.Patience/4 {
			t.Errorf("the queries ended %v after their callers had left", took)
		}
	}
	if err := w.Do(t.Context(), time.Millisecond); err != nil {
		t.Error(err)
	}
}

// TestSQLPool checks that the pool limits the rate, and that waiting requests can be cancelled.
func TestSQLPool(t *testing.T) {
	const delay = 50 * time.Millisecond
	server := pgtest.Start(t)
	w := query(t, server, 2)
	want := func(inUse, waiting int) {
		t.Helper()
		want := work.PoolStats{Name: "sql", Size: 2, InUse: inUse, Waiting: waiting}
		testkit.Eventually(t, "the pool's gauges", func() bool { return w.Pool() == want })
	}
	ctx, leave := context.WithCancel(t.Context())
	ended := []<-chan error{begin(ctx, w, forever), begin(ctx, w, forever), begin(ctx, w, forever)}
	want(2, 1)
	if err := w.Check(t.Context()); err != nil {
		t.Error("a full pool is taken for a server that is down: ", err)
	}
	leave()
	for _, err := range ended {
		if err := <-err; !errors.Is(err, context.Canceled) {
			t.Errorf("who left got %v", err)
		}
	}
	want(0, 0)

	before := time.Now()
	var crowd sync.WaitGroup
	for range 10 {
		crowd.Go(func() {
			if err := w.Do(t.Context(), delay); err != nil {
				t.Error(err)
			}
		})
	}
	crowd.Wait()
	if took := time.Since(before); took < 10/2*delay {
		t.Errorf("10 queries took %v, want two at a time", took)
	}
}

// TestSQLRestarted checks that work resumes after the server was stopped or died.
func TestSQLRestarted(t *testing.T) {
	server := pgtest.Start(t)
	w := query(t, server, 5)
	c := gather(t, w)
	for _, end := range []func(*testing.T){server.Stop, server.Kill} {
		c.wantServed(t)
		end(t)
		c.wantRefused(t)
		if err := w.Check(t.Context()); err == nil {
			t.Error("a server that is gone is said to be well")
		}
		server.Run(t)
	}
	c.wantServed(t)
	if c.broken.Load() == 0 {
		t.Error("no query was under way when the server ended")
	}
}

// TestSQLSaysNo checks a server that refuses the login, or ends a query for its own reasons.
func TestSQLSaysNo(t *testing.T) {
	server := pgtest.Start(t)
	for _, row := range []struct {
		name, dsn string
		cause     work.Cause
		why       string
	}{
		{"wrong password", strings.Replace(server.DSN(), pgtest.Password, "wrong-8e1c", 1), work.Refused, "password authentication failed"},
		{"no such database", server.DSN() + "none", work.Refused, "does not exist"},
		{"its own timeout", server.DSN() + "?statement_timeout=20", work.TimedOut, "statement timeout"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w, err := remote.NewSQL(row.dsn, 1, testkit.Patience)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			err = w.Do(t.Context(), time.Minute)
			wantFailure(t, err, row.cause)
			text := err.Error()
			if !strings.Contains(text, "PostgreSQL at "+server.Addr()+" answers: ") || !strings.Contains(text, row.why) {
				t.Errorf("got %q, want who answers, and %q", text, row.why)
			}
			if strings.ContainsAny(text, "\n") || strings.Contains(text, "wrong-8e1c") || strings.Contains(text, pgtest.Password) {
				t.Errorf("got %q, want one line without the password", text)
			}
		})
	}
}

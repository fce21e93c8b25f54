package remote_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"demo-server/internal/testkit"
	"demo-server/work"
	"demo-server/work/remote"
)

// password is in the DSNs of these tests, and must not be in anything else.
const password = "hush"

func newSQL(t *testing.T, dsn string, margin time.Duration) *remote.SQL {
	t.Helper()
	w, err := remote.NewSQL(dsn, 2, margin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// TestSQLMistakenDSN checks that errors do not quote a wrong DSN.
func TestSQLMistakenDSN(t *testing.T) {
	for _, dsn := range []string{
		"postgres://me:" + password + "@127.0.0.1:port/db",
		"postgres://me:%zz" + password + "@127.0.0.1/db",
		"postgres://me:" + password + "@127.0.0.1/db?sslmode=" + password,
		"host=127.0.0.1 port=0x password='" + password,
		password,
	} {
		w, err := remote.NewSQL(dsn, 1, testkit.Patience)
		if err == nil {
			w.Close()
			t.Errorf("%s is taken as a DSN", dsn)
		} else if strings.Contains(err.Error(), password) || !strings.Contains(err.Error(), "postgres://") {
			t.Errorf("%s: %v; want what would be right, and no password", dsn, err)
		}
	}
}

func TestSQLNoServer(t *testing.T) {
	address := nobody(t)
	for _, sslmode := range []string{"disable", "prefer"} { // prefer tries both with and without
		w := newSQL(t, "postgres://me:"+password+"@"+address+"/db?sslmode="+sslmode, testkit.Patience)
		err := w.Do(t.Context(), forever)
		wantFailure(t, err, work.Refused)
		want := "PostgreSQL at " + address + " does not answer: "
		for _, err := range []error{errors.Unwrap(err), w.Check(t.Context())} {
			switch {
			case err == nil || !strings.HasPrefix(err.Error(), want):
				t.Errorf("got %v, want %q and a reason", err, want)
			case strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), password):
				t.Errorf("got %q, want one line without the password", err)
			}
		}
	}
}

func TestSQLTimeout(t *testing.T) {
	address := silent(t)
	w := newSQL(t, "postgres://me:"+password+"@"+address+"/db", 50*time.Millisecond)
	before := time.Now()
	err := w.Do(t.Context(), 50*time.Millisecond)
	wantFailure(t, err, work.TimedOut)
	if want := "PostgreSQL at " + address + " does not answer: timed out"; errors.Unwrap(err).Error() != want {
		t.Errorf("got %q, want %q", errors.Unwrap(err), want)
	}
	if took := time.Since(before); took > testkit.Patience/2 {
		t.Errorf("gave up after %v", took)
	}
}

// TestSQLCloseSilent checks that a server that does not answer does not delay Close, whatever timeout the DSN has.
func TestSQLCloseSilent(t *testing.T) {
	w, err := remote.NewSQL("postgres://me:"+password+"@"+silent(t)+"/db?connect_timeout=60", 2, testkit.Patience)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.Check(ctx); err == nil {
		t.Error("a server that does not answer is said to be well")
	}
	began := time.Now()
	w.Close()
	if took := time.Since(began); took > testkit.Patience/2 {
		t.Errorf("closed after %v", took)
	}
}

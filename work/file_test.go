package work

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestFileDiskHangs checks that a disk that does not answer delays callers of Check only as long as they want to wait,
// and holds one thread. All of them then get the result.
func TestFileDiskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file, err := NewFile(t.TempDir(), 1, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		tries, disk := 0, make(chan error)
		file.try = func(string) error {
			tries++
			return <-disk
		}
		check := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			return file.Check(ctx)
		}
		began := time.Now()
		for range 3 {
			if err := check(); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want that it does not answer", err)
			}
		}
		synctest.Wait() // otherwise the race detector sees no order between the trial and the read of tries
		if took := time.Since(began); took != 15*time.Second || tries != 1 {
			t.Errorf("3 checks of 5 s took %s and %d tries, want 1", took, tries)
		}
		full := errors.New("full")
		for _, says := range []error{full, nil} {
			said := make(chan error)
			go func() { said <- check() }()
			synctest.Wait() // until it waits for the present trial, and not for the next one
			disk <- says
			if err := <-said; err != says {
				t.Errorf("got %v, want %v", err, says)
			}
			synctest.Wait()
		}
		if tries != 2 {
			t.Errorf("%d tries, want 2", tries)
		}
	})
}

package testkit

import (
	"testing"
	"time"
)

// Patience is the one upper bound on waits in tests. Its only purpose is to end a test that hangs: on a busy machine
// almost everything takes long, so no shorter bound says anything about the code.
const Patience = 30 * time.Second

// Eventually waits until an observation holds that another goroutine, process or the kernel is about to make true. The
// function must only observe: an action that is repeated until it succeeds hides its failures.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", Patience, what)
		}
	}
}

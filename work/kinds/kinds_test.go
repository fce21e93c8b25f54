package kinds

import (
	"io"
	"slices"
	"testing"
	"time"

	"demo-server/work"
)

// TestKinds compares each Kind with its opened work.
func TestKinds(t *testing.T) {
	options := work.Options{
		MaxThreads: 3, Slots: 4, PoolSize: 5, DialTimeout: time.Second,
		DSN: "postgres://127.0.0.1:1", // a port on which nothing listens; Open does not wait for an answer
	}
	for _, kind := range All {
		t.Run(kind.Name, func(t *testing.T) {
			options.Dir = t.TempDir()
			opened, closers, err := kind.Open(options)
			if err != nil {
				t.Fatal(err)
			}
			if holds := opened.Holds(); holds != kind.Holds {
				t.Errorf("holds %s, and %s by its Kind", holds, kind.Holds)
			}
			limit := kind.Limit(options)
			if pooled, ok := opened.(work.Pooled); ok {
				if pool := pooled.Pool(); pool.Name != kind.Name || pool.Size != limit.N {
					t.Errorf("has %+v, and %+v by its Kind", pool, limit)
				}
			}
			if closer, ok := opened.(io.Closer); ok && !slices.Contains(closers, closer) {
				t.Error("is not among what Open wants closed")
			}
			for _, closer := range slices.Backward(closers) {
				if err := closer.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

package supervisor

import (
	"testing"

	"demo-server/configs"
)

// TestWorkerSeed checks that each worker process has its own seed, and the same one in the next run.
func TestWorkerSeed(t *testing.T) {
	for _, seed := range []int{1, 7, configs.MaxSeed} {
		if first := workerSeed(seed, 0); first != seed {
			t.Errorf("seed %d: the first worker has %d, want the same", seed, first)
		}
		numberOf := map[int]int{}
		for number := range 10_000 {
			got := workerSeed(seed, number)
			if got < 1 || got > configs.MaxSeed {
				t.Fatalf("seed %d, worker %d: %d is no seed", seed, number, got)
			}
			if other, taken := numberOf[got]; taken {
				t.Fatalf("seed %d: workers %d and %d share %d", seed, other, number, got)
			}
			numberOf[got] = number
		}
	}
	if got := workerSeed(0, 3); got != 0 {
		t.Errorf("without a seed a worker has %d, want none, for one by chance", got)
	}
}

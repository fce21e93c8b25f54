package modes

import "sync"

// A workerPool runs jobs on a fixed number of goroutines. The caller must not submit more jobs at a time than there are
// workers; then Submit never blocks.
type workerPool[T any] struct {
	jobs    chan T
	running sync.WaitGroup
}

func newWorkerPool[T any](members int, do func(T)) *workerPool[T] {
	c := &workerPool[T]{jobs: make(chan T, members)}
	for range members {
		c.running.Go(func() {
			for t := range c.jobs {
				do(t)
			}
		})
	}
	return c
}

func (c *workerPool[T]) Submit(t T) { c.jobs <- t }

// Close waits until all jobs are done.
func (c *workerPool[T]) Close() {
	close(c.jobs)
	c.running.Wait()
}

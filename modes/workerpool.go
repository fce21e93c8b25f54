package modes

import "sync"

// A workerPool is a fixed number of goroutines that do one thing to whatever they are given, in turn. Whoever gives has to
// see to it that there are no more of these at a time than the crew has members: then giving never blocks.
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

// Close waits until all that was given is done.
func (c *workerPool[T]) Close() {
	close(c.jobs)
	c.running.Wait()
}

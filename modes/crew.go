package modes

import "sync"

// A crew is a fixed number of goroutines that do one thing to whatever they are given, in turn. Whoever gives has to
// see to it that there are no more of these at a time than the crew has members: then giving never blocks.
type crew[T any] struct {
	given   chan T
	running sync.WaitGroup
}

func newCrew[T any](members int, do func(T)) *crew[T] {
	c := &crew[T]{given: make(chan T, members)}
	for range members {
		c.running.Go(func() {
			for t := range c.given {
				do(t)
			}
		})
	}
	return c
}

func (c *crew[T]) give(t T) { c.given <- t }

// end waits until all that was given is done.
func (c *crew[T]) end() {
	close(c.given)
	c.running.Wait()
}

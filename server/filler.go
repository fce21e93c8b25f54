package server

import (
	"bytes"
	"sync"
)

// fillerLine is what bodies of a given size repeat.
const fillerLine = "All work and no play makes Jack a dull boy.\n"

// bodies of any size are the beginning of one, which grows to the longest that was asked for. Replies only read it.
var bodies struct {
	mu      sync.Mutex
	longest []byte
}

// filler is a body of exactly n bytes.
func filler(n int) []byte {
	bodies.mu.Lock()
	defer bodies.mu.Unlock()
	if n > len(bodies.longest) {
		bodies.longest = bytes.Repeat([]byte(fillerLine), max(n, 2*len(bodies.longest))/len(fillerLine)+1)
	}
	return bodies.longest[:n:n]
}

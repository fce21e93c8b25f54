package server

import (
	"bytes"
	"sync"
)

// fillerLine is repeated to fill a body of a given size.
const fillerLine = "All work and no play makes Jack a dull boy.\n"

// bodies holds one text. A body of any size is its beginning. The text grows to the longest size requested so far, and
// replies only read it.
var bodies struct {
	mu      sync.Mutex
	longest []byte
}

// filler returns a body of exactly n bytes.
func filler(n int) []byte {
	bodies.mu.Lock()
	defer bodies.mu.Unlock()
	if n > len(bodies.longest) {
		bodies.longest = bytes.Repeat([]byte(fillerLine), max(n, 2*len(bodies.longest))/len(fillerLine)+1)
	}
	return bodies.longest[:n:n]
}

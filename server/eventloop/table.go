package eventloop

import (
	"iter"
	"slices"
)

// A connTable holds a loop's conns. It allocates them in blocks, to leave no garbage when it grows, and reuses the last
// one freed first.
type connTable struct {
	blocks [][]*conn
	free   []*conn
	open   int
}

const blockSize = 32

func (t *connTable) add(l *loop) *conn {
	if len(t.free) == 0 {
		t.grow(l)
	}
	last := len(t.free) - 1
	c := t.free[last]
	t.free = t.free[:last]
	c.perConnection = perConnection{loop: l, place: notWaiting, open: true}
	t.open++
	return c
}

func (t *connTable) grow(l *loop) {
	made, block := make([]conn, blockSize), make([]*conn, blockSize)
	first := len(t.blocks) * blockSize
	t.blocks = append(t.blocks, block)
	for i := range slices.Backward(block) {
		block[i] = &made[i]
		block[i].Index = int32(first + i)
		t.free = append(t.free, block[i])
	}
}

// remove frees a conn. Later events of its connection are ignored.
func (t *connTable) remove(c *conn) {
	c.open = false
	c.Generation++
	if !c.job.Reusable() {
		c = &conn{Tag: c.Tag}
		*t.at(c.Index) = c
	}
	t.free = append(t.free, c)
	t.open--
}

func (t *connTable) at(index int32) **conn { return &t.blocks[index/blockSize][index%blockSize] }

// find returns the conn of an event, or nil if it has closed since.
func (t *connTable) find(g Tag) *conn {
	c := *t.at(g.Index)
	if !c.open || c.Generation != g.Generation {
		return nil
	}
	return c
}

// conns returns the open conns. The caller may close them during the iteration.
func (t *connTable) conns() iter.Seq[*conn] {
	return func(yield func(*conn) bool) {
		for _, block := range t.blocks {
			for _, c := range block {
				if c.open && !yield(c) {
					return
				}
			}
		}
	}
}

package eventloop

import (
	"iter"
	"slices"
)

// table holds a loop's sessions. They are made by the dozen, so that growing leaves no garbage, and used again, last used
// first.
type table struct {
	blocks [][]*session
	free   []*session
	open   int
}

const blockSize = 32

func (t *table) seat(l *loop) *session {
	if len(t.free) == 0 {
		t.grow(l)
	}
	last := len(t.free) - 1
	s := t.free[last]
	t.free = t.free[:last]
	s.visit = visit{loop: l, place: notWaiting, open: true}
	t.open++
	return s
}

func (t *table) grow(l *loop) {
	made, block := make([]session, blockSize), make([]*session, blockSize)
	first := len(t.blocks) * blockSize
	t.blocks = append(t.blocks, block)
	for i := range slices.Backward(block) {
		block[i] = &made[i]
		block[i].index = int32(first + i)
		t.free = append(t.free, block[i])
	}
}

// unseat makes room. What is told of the session from now on is of one that has closed.
func (t *table) unseat(s *session) {
	s.open = false
	s.generation++
	if !s.job.Reusable() {
		s = &session{tag: s.tag}
		*t.at(s.index) = s
	}
	t.free = append(t.free, s)
	t.open--
}

func (t *table) at(index int32) **session { return &t.blocks[index/blockSize][index%blockSize] }

// find returns an event's session, or nil when it has closed since.
func (t *table) find(g tag) *session {
	s := *t.at(g.index)
	if !s.open || s.generation != g.generation {
		return nil
	}
	return s
}

// sessions are those that are open. They may be closed meanwhile.
func (t *table) sessions() iter.Seq[*session] {
	return func(yield func(*session) bool) {
		for _, block := range t.blocks {
			for _, s := range block {
				if s.open && !yield(s) {
					return
				}
			}
		}
	}
}

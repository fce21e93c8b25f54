package obslog

import (
	"bytes"
	"io"
	"iter"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// logCapacity is how many bytes of log may wait for a reader that is slow. What is more is dropped.
	logCapacity = 1 << 20
	// pipeBuf is how much a process can write to a pipe without another one's lines in between (PIPE_BUF).
	pipeBuf = 4096
	// logPatience is how long the end of the process waits for a reader that takes nothing.
	logPatience = time.Second
)

// A Writer keeps whoever logs from waiting for the reader of the log: Write hands lines over, and a goroutine writes
// them. If the reader does not keep up, or has gone, lines are dropped and counted. Create it with NewWriter, and
// close it at the end of the process.
type Writer struct {
	out     io.Writer
	tell    func(lines uint64) error // writes to out that so many lines were dropped
	dropped atomic.Uint64            // lines, in all
	written atomic.Uint64            // writes, failed ones too
	ended   chan struct{}            // closed when the goroutine has ended

	mu      sync.Mutex
	wake    chan struct{} // there are lines; closed at the end
	waiting []byte        // whole lines
	spare   []byte        // the other buffer, which is being written
	size    int           // of both
	untold  uint64        // lines dropped that the log does not tell of yet
	closed  bool
}

func NewWriter(out io.Writer, tell func(lines uint64) error) *Writer {
	w := &Writer{out: out, tell: tell, ended: make(chan struct{}), wake: make(chan struct{}, 1)}
	go w.run()
	return w
}

// Write takes one line or several, and never blocks. It always succeeds.
func (w *Writer) Write(lines []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.size+len(lines) > logCapacity {
		w.drop(lines)
		return len(lines), nil
	}
	w.waiting = append(w.waiting, lines...)
	w.size += len(lines)
	select {
	case w.wake <- struct{}{}:
	default: // it is awake
	}
	return len(lines), nil
}

// drop counts lines as dropped. The caller holds the lock.
func (w *Writer) drop(lines []byte) {
	n := uint64(bytes.Count(lines, []byte{'\n'}))
	w.dropped.Add(n)
	w.untold += n
}

// Close writes the lines that wait. It gives up if the reader takes none for logPatience.
func (w *Writer) Close() {
	w.mu.Lock()
	w.closed = true
	close(w.wake)
	w.mu.Unlock()
	for {
		written := w.written.Load()
		select {
		case <-w.ended:
			return
		case <-time.After(logPatience):
			if w.written.Load() == written {
				return
			}
		}
	}
}

// run writes until the end.
func (w *Writer) run() {
	defer close(w.ended)
	for range w.wake {
		w.write()
	}
	w.write()
}

// write writes the lines that wait, and after them how many were dropped.
func (w *Writer) write() {
	for {
		lines, untold := w.take()
		for piece := range wholeLines(lines, pipeBuf) {
			w.writePiece(piece)
		}
		told := untold > 0 && w.tell(untold) == nil
		if len(lines) == 0 && !told {
			return
		}
		w.mu.Lock()
		w.size -= len(lines)
		if told {
			w.untold -= untold
		}
		w.mu.Unlock()
	}
}

func (w *Writer) writePiece(lines []byte) {
	_, err := w.out.Write(lines)
	w.written.Add(1)
	if err != nil {
		w.mu.Lock()
		w.drop(lines)
		w.mu.Unlock()
	}
}

// take returns the lines that wait, which are valid until the next call, and how many were dropped after them.
func (w *Writer) take() (lines []byte, untold uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting, w.spare = w.spare[:0], w.waiting
	return w.spare, w.untold
}

// wholeLines cuts text into pieces of whole lines. A piece is longer than max bytes only if it is one line.
func wholeLines(text []byte, max int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(text) > 0 {
			end := len(text)
			if end > max {
				if end = bytes.LastIndexByte(text[:max], '\n') + 1; end == 0 {
					end = max + bytes.IndexByte(text[max:], '\n') + 1
				}
			}
			if !yield(text[:end]) {
				return
			}
			text = text[end:]
		}
	}
}

// IgnoreBrokenPipe makes a write to standard output or error that nobody reads any more an error, as to any other file,
// instead of a signal that ends the process. It leaves the processes that this one starts alone, which to ignore the
// signal would not.
func IgnoreBrokenPipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

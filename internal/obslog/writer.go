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
	// logCapacity is how many bytes of log may wait for a slow reader. Further lines are dropped.
	logCapacity = 1 << 20
	// pipeBuf is the number of bytes that a process can write to a pipe atomically (PIPE_BUF).
	pipeBuf = 4096
	// logPatience is how long the end of the process waits for a stalled reader.
	logPatience = time.Second
)

// A Writer decouples loggers from the reader of the log: Write queues lines, and a goroutine writes them. If the reader
// does not keep up, or has gone, lines are dropped and counted. Create it with NewWriter, and close it at the end of
// the process. It is safe for concurrent use.
type Writer struct {
	out     io.Writer
	report  func(lines uint64) error // writes the number of dropped lines to out
	dropped atomic.Uint64            // lines, in all
	written atomic.Uint64            // writes, failed ones too
	ended   chan struct{}            // closed when the goroutine has ended

	mu         sync.Mutex
	wake       chan struct{} // wakes run; closed by Close
	waiting    []byte        // whole lines
	spare      []byte        // the other buffer, which is being written
	size       int           // of both
	unreported uint64        // dropped lines that the log does not mention yet
	closed     bool
}

func NewWriter(out io.Writer, tell func(lines uint64) error) *Writer {
	w := &Writer{out: out, report: tell, ended: make(chan struct{}), wake: make(chan struct{}, 1)}
	go w.run()
	return w
}

// Write queues one line or several. It never blocks, and always succeeds.
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
	default: // run is awake
	}
	return len(lines), nil
}

// drop counts lines as dropped. The caller holds the lock.
func (w *Writer) drop(lines []byte) {
	n := uint64(bytes.Count(lines, []byte{'\n'}))
	w.dropped.Add(n)
	w.unreported += n
}

// Close writes the queued lines. It gives up if the reader takes none for logPatience.
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

// run writes queued lines until Close.
func (w *Writer) run() {
	defer close(w.ended)
	for range w.wake {
		w.write()
	}
	w.write()
}

// write writes the queued lines, and after them the number of dropped ones.
func (w *Writer) write() {
	for {
		lines, untold := w.take()
		for piece := range wholeLines(lines, pipeBuf) {
			w.writePiece(piece)
		}
		told := untold > 0 && w.report(untold) == nil
		if len(lines) == 0 && !told {
			return
		}
		w.mu.Lock()
		w.size -= len(lines)
		if told {
			w.unreported -= untold
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

// take returns the queued lines, which are valid until the next call, and how many were dropped after them.
func (w *Writer) take() (lines []byte, untold uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting, w.spare = w.spare[:0], w.waiting
	return w.spare, w.unreported
}

// wholeLines splits text into pieces of whole lines. A piece has more than max bytes only if it is a single line.
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

// IgnoreBrokenPipe makes a write to standard output or error return an error if its reader has gone, instead of ending
// the process by a signal. Unlike ignoring the signal, it does not affect the processes that this one starts.
func IgnoreBrokenPipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

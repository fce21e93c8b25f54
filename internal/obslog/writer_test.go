package obslog

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"demo-server/internal/testkit"
)

// A stallingReader blocks writes while it is stalled, and fails them while it is gone.
type stallingReader struct {
	testkit.Buffer
	resume chan struct{} // closed unless it is stalled
	gone   bool
}

func (r *stallingReader) Write(p []byte) (int, error) {
	<-r.resume
	if r.gone {
		return 0, syscall.EPIPE
	}
	return r.Buffer.Write(p)
}

// writingTo returns a writer to r that reports dropped lines as "N dropped".
func writingTo(r *stallingReader) *Writer {
	return NewWriter(r, func(lines uint64) error {
		_, err := fmt.Fprintf(r, "%d dropped\n", lines)
		return err
	})
}

func newStallingReader() *stallingReader { return &stallingReader{resume: make(chan struct{})} }

// TestLogWriterStalled checks that logging does not wait for a stalled reader. Lines that do not fit are dropped and
// counted, and the log reports them once the reader continues.
func TestLogWriterStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStallingReader()
		w := writingTo(r)
		line := []byte(strings.Repeat("x", 1023) + "\n")
		w.Write(line)
		synctest.Wait() // it is being written
		const lines = 3 * logCapacity / 1024
		for range lines - 1 {
			w.Write(line) // must not block
		}
		synctest.Wait()
		const dropped = lines - logCapacity/1024
		if got := w.dropped.Load(); got != dropped {
			t.Errorf("%d lines dropped, want %d", got, dropped)
		}
		close(r.resume)
		synctest.Wait()
		want := strings.Repeat(string(line), lines-dropped) + fmt.Sprintf("%d dropped\n", dropped)
		if r.String() != want {
			t.Errorf("got %d bytes that end with %q; want %d that end with %q", len(r.String()), tail(r.String()), len(want), tail(want))
		}
		w.Write([]byte("next\n"))
		w.Close()
		if r.String() != want+"next\n" {
			t.Errorf("then %q, want the next line and no more", tail(r.String()))
		}
	})
}

func tail(text string) string { return text[max(0, len(text)-100):] }

// TestLogWriterReaderGone checks that lines are dropped while there is no reader. A named pipe may get a new one.
func TestLogWriterReaderGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStallingReader()
		close(r.resume)
		w := writingTo(r)
		r.gone = true
		for range 3 {
			w.Write([]byte("lost\n"))
			synctest.Wait()
		}
		r.gone = false
		w.Write([]byte("seen\n"))
		w.Close()
		if got := r.String(); got != "seen\n3 dropped\n" || w.dropped.Load() != 3 {
			t.Errorf("got %q, and %d dropped", got, w.dropped.Load())
		}
	})
}

// TestLogWriterClose checks that the end of the process waits for a slow reader, but not for a stalled one.
func TestLogWriterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := newStallingReader()
		w := NewWriter(writerFunc(func(p []byte) (int, error) {
			time.Sleep(logPatience - 1)
			return slow.Buffer.Write(p)
		}), func(uint64) error { return nil })
		text := strings.Repeat(strings.Repeat("x", 99)+"\n", 1000)
		w.Write([]byte(text))
		w.Close()
		if slow.String() != text {
			t.Errorf("a slow reader got %d bytes, want %d", len(slow.String()), len(text))
		}
		w.Write([]byte("too late\n"))
		if w.dropped.Load() != 1 {
			t.Error("a line after the end was not counted as dropped")
		}

		stalled := newStallingReader()
		w = writingTo(stalled)
		w.Write([]byte("line\n"))
		began := time.Now()
		w.Close()
		if took := time.Since(began); took != logPatience {
			t.Errorf("gave up after %v, want %v", took, logPatience)
		}
		close(stalled.resume)
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestLogWriterPieces checks that processes that share a pipe write whole lines.
func TestLogWriterPieces(t *testing.T) {
	line := func(n int) string { return strings.Repeat("x", n-1) + "\n" }
	for _, row := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{line(4), []string{line(4)}},
		{line(10), []string{line(10)}},
		{line(5) + line(5), []string{line(5) + line(5)}},
		{line(5) + line(6), []string{line(5), line(6)}},
		{line(4) + line(4) + line(4), []string{line(4) + line(4), line(4)}},
		{line(25) + line(4), []string{line(25), line(4)}},
		{line(4) + line(25), []string{line(4), line(25)}},
	} {
		var got []string
		for piece := range wholeLines([]byte(row.text), 10) {
			got = append(got, string(piece))
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%q: got %q, want %q", row.text, got, row.want)
		}
	}
}

// TestLogDropped checks that the line about dropped lines has the format of the others.
func TestLogDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStallingReader()
		log := New("info", "json", r, false)
		line := strings.Repeat("x", logCapacity/2)
		log.Logger().Info(line)
		synctest.Wait() // it is being written
		log.Logger().Info(line)
		log.Logger().Info(line)
		close(r.resume)
		log.Close()
		last := bytes.TrimSpace([]byte(r.String()[strings.LastIndex(strings.TrimSpace(r.String()), "\n")+1:]))
		want := `{"level":"warn","ts":"` + time.Now().Format("2006-01-02T15:04:05.000Z07:00") + `","msg":"log lines dropped","lines":2}`
		if string(last) != want {
			t.Errorf("got %.200s, want %s", last, want)
		}
	})
}

func BenchmarkLogWriter(b *testing.B) {
	w := NewWriter(io.Discard, func(uint64) error { return nil })
	defer w.Close()
	line := []byte(strings.Repeat("x", 199) + "\n")
	b.ReportAllocs()
	for b.Loop() {
		w.Write(line)
	}
}

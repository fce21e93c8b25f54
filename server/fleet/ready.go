package fleet

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// Ready asks the workers that serve whether they are ready, and says of one that is not why. One that does not answer
// may just be busy: it is not ready once it has not answered for silentAfter. The reason names addresses only if everything
// is asked for.
func (f *Fleet) Ready(everything bool) (ready bool, reason string) {
	f.mu.Lock()
	workers := slices.DeleteFunc(slices.Clone(f.workers), func(w *worker) bool { return w.State != stateServes })
	f.mu.Unlock()
	reasons := make([]string, len(workers))
	var asked sync.WaitGroup
	for i, w := range workers {
		asked.Go(func() { reasons[i] = f.unready(w, everything) })
	}
	asked.Wait()
	for i, w := range workers {
		if reasons[i] != "" {
			return false, fmt.Sprintf("worker process %d: %s", w.PID, reasons[i])
		}
	}
	return true, ""
}

// unready is why the worker is not ready, or empty.
func (f *Fleet) unready(w *worker, everything bool) string {
	path := pathReadyz
	if !everything {
		path += "?" + brief
	}
	response, err := w.get(path)
	if err != nil {
		return f.silence(w)
	}
	defer response.Body.Close()
	reason, err := io.ReadAll(io.LimitReader(response.Body, maxReason))
	if response.StatusCode != http.StatusServiceUnavailable || err != nil {
		return ""
	}
	return oneLine(string(reason))
}

// silence is why a worker is not ready that does not answer, or empty.
func (f *Fleet) silence(w *worker) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if w.silent.IsZero() || time.Since(w.silent) < silentAfter {
		return ""
	}
	return fmt.Sprintf("has not answered for %s", time.Since(w.silent).Truncate(time.Second))
}

// oneLine returns the first line of what a worker wrote, with a space for each character that cannot be printed.
func oneLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, line)
}

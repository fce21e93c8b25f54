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

// Ready reports whether all serving workers are ready, and if not, the reason of one of them. A worker that does not answer
// may just be busy, so it counts as not ready only after silentAfter. The reason contains addresses only if everything is
// true.
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

// unready returns why the worker is not ready, or "" if it is.
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

// silence returns a reason if w has not answered for silentAfter, else "".
func (f *Fleet) silence(w *worker) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if w.silent.IsZero() || time.Since(w.silent) < silentAfter {
		return ""
	}
	return fmt.Sprintf("has not answered for %s", time.Since(w.silent).Truncate(time.Second))
}

// oneLine returns the first line of a text, with a space for each character that cannot be printed.
func oneLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, line)
}

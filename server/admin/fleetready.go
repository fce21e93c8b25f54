package admin

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Ready asks the workers that serve whether they are ready, and says of one that is not why. One that does not answer
// is left to whoever looks after it: it may just be busy.
func (f *Fleet) Ready() (ready bool, reason string) {
	f.mu.Lock()
	members := slices.DeleteFunc(slices.Clone(f.members), func(m *member) bool { return m.State != stateServes })
	f.mu.Unlock()
	reasons := make([]string, len(members))
	var asked sync.WaitGroup
	for i, m := range members {
		asked.Go(func() { reasons[i] = m.unready() })
	}
	asked.Wait()
	for i, m := range members {
		if reasons[i] != "" {
			return false, fmt.Sprintf("worker process %d: %s", m.PID, reasons[i])
		}
	}
	return true, ""
}

// unready is why the worker is not ready, as far as it says so.
func (m *member) unready() string {
	response, err := m.get(pathReadyz)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	reason, err := io.ReadAll(io.LimitReader(response.Body, maxReason))
	if response.StatusCode != http.StatusServiceUnavailable || err != nil {
		return ""
	}
	return oneLine(string(reason))
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

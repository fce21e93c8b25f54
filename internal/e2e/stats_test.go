//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"demo-server/internal/testkit"
)

// stats is the body of /stats, as far as these tests need it.
type stats struct {
	Mode        string         `json:"mode"`
	Requests    map[string]int `json:"requests"`
	InFlight    int            `json:"in_flight"`
	Queued      int            `json:"queued"`
	Connections int            `json:"connections"`
	QueueWait   total          `json:"queue_wait_seconds"`
	Work        total          `json:"work_seconds"`
	AcceptQueue struct {
		Depth int `json:"depth"`
		Limit int `json:"limit"`
	} `json:"accept_queue"`
}

type total struct {
	Count int     `json:"count"`
	Sum   float64 `json:"sum"`
}

func (p *process) stats(t *testing.T) (s stats) {
	t.Helper()
	p.readStats(t, &s)
	return s
}

// readStats reads /stats into what says which of it is of interest.
func (p *process) readStats(t *testing.T, into any) {
	t.Helper()
	status, body := p.ask(t, "stats")
	if err := json.Unmarshal([]byte(body), into); err != nil || status != http.StatusOK {
		t.Fatalf("/stats: %d %q, %v", status, body, err)
	}
}

// ask asks the admin listener, over a connection that is kept.
func (p *process) ask(t *testing.T, path string) (status int, body string) {
	t.Helper()
	response, err := p.http.Get(p.admin + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// settle waits until the server knows of n requests that it has not answered, wherever they wait.
func (p *process) settle(t *testing.T, n int) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("%d requests wait or run", n), func() bool {
		s := p.stats(t)
		return s.InFlight+s.Queued+s.AcceptQueue.Depth == n
	})
}

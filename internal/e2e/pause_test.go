//go:build e2e

package e2e_test

import (
	"encoding/json"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"demo-server/internal/testkit"
)

// TestPaused: a process that stood still (SIGSTOP, a machine without a core for it) does not hold that against its
// clients: what came in the meantime is answered, and nobody is timed out.
func TestPaused(t *testing.T) {
	const (
		clients = 20
		timeout = 2 * time.Second
		request = "GET /delay/0 HTTP/1.1\r\nHost: demo\r\nContent-Length: 4\r\n\r\nbody"
	)
	eachMode(t, func(t *testing.T, m mode) {
		t.Parallel()
		args := []string{"--mode=" + m.Name, "--delay=0s", "--idle-timeout=" + timeout.String()}
		for _, name := range []string{"read-header-timeout", "read-timeout", "read-request-timeout"} {
			args = append(args, "--"+name+"="+timeout.String())
		}
		p := start(t, args...)
		var all []*client
		for i := range clients {
			c := p.dial(t)
			all = append(all, c)
			if i%4 == 1 && !m.single() { // kept, and idle
				c.send()
				c.receive()
			}
			c.write(part(request, i%4))
		}
		p.signal(t, syscall.SIGSTOP)
		for i, c := range all {
			c.write(strings.TrimPrefix(request, part(request, i%4)))
		}
		time.Sleep(2 * timeout)
		p.signal(t, syscall.SIGCONT)
		for i, c := range all {
			if status, _, err := c.receive(); status != 200 || err != nil {
				t.Errorf("client %d: %d, %v; want 200", i, status, err)
			}
			c.Close()
		}
		testkit.Eventually(t, "each close is counted, and none is a timeout", func() bool {
			closed := p.closed(t)
			return closed["replied"]+closed["disconnect"] == clients && sum(closed) == clients
		})
	})
}

// part is how much of a request comes before the pause: nothing, for new connections and for kept ones, or some of the
// headers, or some of the body.
func part(request string, kind int) string {
	switch kind {
	case 2:
		return request[:20]
	case 3:
		return request[:len(request)-2]
	}
	return ""
}

func (c *client) write(text string) { io.WriteString(c, text) }

// closed is how many connections have closed, by cause.
func (p *process) closed(t *testing.T) map[string]int {
	t.Helper()
	var stats struct {
		Closed map[string]int `json:"connections_closed"`
	}
	response, err := p.http.Get(p.admin + "stats")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&stats); err != nil {
		t.Fatal(err)
	}
	return stats.Closed
}

func sum(counts map[string]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}

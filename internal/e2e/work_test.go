//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"demo-server/internal/testkit"
	"demo-server/work/remote/pgtest"
)

// workDone is what a reply says of how long its work took.
var workDone = regexp.MustCompile(`work;dur=([0-9.]+)`)

// serveWork asks for / once, and returns for how long it was worked on.
func (p *process) serveWork(t *testing.T) time.Duration {
	t.Helper()
	response, err := p.http.Get(p.url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK || string(body) != "Hello World" || err != nil {
		t.Fatalf("%s %q, %v; want Hello World", response.Status, body, err)
	}
	found := workDone.FindStringSubmatch(response.Header.Get("Server-Timing"))
	if found == nil {
		t.Fatalf("Server-Timing is %q", response.Header.Get("Server-Timing"))
	}
	millis, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(millis * float64(time.Millisecond))
}

// TestWork: each kind takes its time, and not much more when the machine is idle.
func TestWork(t *testing.T) {
	const delay = 200 * time.Millisecond
	postgres, apart := pgtest.Start(t), startBackends(t, "0", "0")
	near, hashing := delay/100+2*time.Millisecond, delay/20
	for _, row := range []struct {
		work string
		args []string
		off  time.Duration // 0 where it is not promised
	}{
		{"sleep", nil, near},
		{"block", nil, near},
		{"cpu", nil, hashing},
		{"mutex", nil, near},
		{"file", []string{"--dir=" + t.TempDir()}, 0},
		{"http", nil, near},
		{"http", []string{"--target=http://" + apart.http + "/"}, near},
		{"grpc", nil, near},
		{"grpc", []string{"--target=" + apart.rpc}, near},
		{"sql", []string{"--dsn=" + postgres.DSN()}, near},
	} {
		t.Run(row.work+strings.Join(row.args, ""), func(t *testing.T) {
			p := start(t, append(row.args, "--work="+row.work, "--delay="+delay.String())...)
			least := time.Hour
			for end := time.Now().Add(testkit.Patience); time.Now().Before(end); { // others may be busy on this machine
				least = min(least, p.serveWork(t))
				if row.off == 0 || least <= delay+row.off {
					break
				}
			}
			if least < delay || row.off > 0 && least > delay+row.off {
				t.Errorf("the work took %s at least, want %s and at most %s more", least, delay, row.off)
			}
			if strings.Contains(p.text(), pgtest.Password) {
				t.Error("the log has the password")
			}
		})
	}
}

// TestSQLInEveryMode: the other kinds are run in every mode by package modes, which needs nothing installed.
func TestSQLInEveryMode(t *testing.T) {
	postgres := pgtest.Start(t)
	eachMode(t, func(t *testing.T, m mode) {
		t.Parallel()
		p := start(t, "--mode="+m.Name, "--work=sql", "--dsn="+postgres.DSN(), "--delay=100ms", "--pool-size=2")
		if !m.single() {
			began := time.Now()
			ok, _ := receiveAll(t, p.dialAll(t, 6))
			if took := time.Since(began); ok != 6 || took < 300*time.Millisecond {
				t.Errorf("%d of 6 in %s, want all in three rounds of 100ms: two connections are the bound", ok, took)
			}
		}
		p.serveWork(t)
		if out := mustTool(t, "curl", "-sS", p.admin+"metrics"); !strings.Contains(out, fmt.Sprintf("demo_server_work_pool_size{kind=%q,mode=%q} 2\n", "sql", m.Name)) {
			t.Error("/metrics lacks the pool")
		}
	})
}

// workStats is what /stats says of the work.
type workStats struct {
	Ready    bool           `json:"ready"`
	InFlight int            `json:"in_flight"`
	Requests map[string]int `json:"requests"`
	Failures map[string]int `json:"work_failures"`
	Pools    []struct {
		Kind    string `json:"kind"`
		Size    int    `json:"size"`
		InUse   int    `json:"in_use"`
		Waiting int    `json:"waiting"`
	} `json:"work_pools"`
}

func (p *process) workStats(t *testing.T) (s workStats) {
	t.Helper()
	response, err := p.http.Get(p.admin + "stats")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPoolIsSeen: what uses the pool and what waits for it, until everybody has left; and the database knows that they have.
func TestPoolIsSeen(t *testing.T) {
	postgres := pgtest.Start(t)
	p := start(t, "--work=sql", "--dsn="+postgres.DSN(), "--delay=60s", "--pool-size=3")
	clients := p.dialAll(t, 7)
	testkit.Eventually(t, "three use the pool, four wait", func() bool {
		pools := p.workStats(t).Pools
		return len(pools) > 0 && pools[len(pools)-1].Kind == "sql" && pools[len(pools)-1].InUse == 3 && pools[len(pools)-1].Waiting == 4
	})
	testkit.Eventually(t, "three queries sleep", func() bool { return postgres.Sleepers(t) == 3 })
	for _, c := range clients {
		c.Close()
	}
	testkit.Eventually(t, "all places are free", func() bool { return p.workStats(t).InFlight == 0 })
	testkit.Eventually(t, "no query sleeps", func() bool { return postgres.Sleepers(t) == 0 })
}

// TestDrainWork: queries that are under way at a stop are finished.
func TestDrainWork(t *testing.T) {
	postgres := pgtest.Start(t)
	p := start(t, "--work=sql", "--dsn="+postgres.DSN(), "--delay=2s", "--pool-size=2")
	clients := p.dialAll(t, 4)
	testkit.Eventually(t, "all are in", func() bool { return p.workStats(t).InFlight == 4 })
	p.terminate(t)
	if ok, refused := receiveAll(t, clients); ok != 4 || refused != 0 {
		t.Errorf("%d served and %d refused, want all 4 served", ok, refused)
	}
	p.wantStopped(t)
}

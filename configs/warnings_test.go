package configs

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWarnings(t *testing.T) {
	cases := []struct {
		name  string
		flags []Flag
		want  []string
	}{
		{"defaults", nil, nil},
		{"pool", flags("mode=pool"), nil},
		{"pool that drains too early", flags("mode=pool", "drain-timeout=31s"), []string{
			"a request may wait 30s (queue-timeout) and work 2s (delay): a drain-timeout of 31s cuts it off with 503",
		}},
		{"pool that drains in time", flags("mode=pool", "drain-timeout=32s"), nil},
		{"delay above drain", flags("delay=40s", "mode=pool", "queue=0"), []string{
			"a request works 40s (delay): a drain-timeout of 30s cuts it off with 503",
		}},
		{"long queue", flags("mode=pool", "workers=10", "queue=101", "queue-timeout=20s"), []string{
			"the tail of a full queue of 101 waits 22s for 10 workers and a delay of 2s: queue-timeout refuses it after 20s",
		}},
		{"long queue of an event loop's helpers", flags("mode=eventloop", "work=block", "loop-helpers=4", "queue=101"), []string{
			"the tail of a full queue of 101 waits 52s for 4 helpers and a delay of 2s: queue-timeout refuses it after 30s",
		}},
		{"queue of an event loop", flags("mode=eventloop", "queue=3"), nil},
		{"reach", flags("host=0.0.0.0"), []string{"host 0.0.0.0: other machines can reach the server"}},
		{"IPv6 loopback", flags("host=::1"), nil},
		{"open admin", flags("admin-addr=:9000"), []string{
			"admin-addr :9000: other machines can reach it, and admin-token is empty:" +
				" everything but /healthz and /readyz will be refused",
		}},
		{"open admin with token", flags("admin-addr=:9000", "admin-token=s3cret"), nil},
		{"headers in a longer time than the request", flags("read-header-timeout=1m"), []string{
			"a read-header-timeout of 1m has no effect beyond the 30s that a whole request has (read-request-timeout)",
		}},
		{"a body in a longer time than the request", flags("read-timeout=20s", "read-request-timeout=10s"), []string{
			"a read-timeout of 20s has no effect beyond the 10s that a whole request has (read-request-timeout)",
		}},
		{"pool's settings elsewhere", flags("workers=100", "queue=3"), []string{
			"workers 100 (flag --workers) has no effect in mode goroutine",
			"queue 3 (flag --queue) has no effect in mode goroutine",
		}},
		{"kinds of work that no request may ask for", flags(
			"target=x", "pool-size=3", "dsn=postgres://u:s3cret@h", "dial-timeout=1s",
		), []string{
			"target x (flag --target) has no effect with work sleep",
			"pool-size 3 (flag --pool-size) has no effect with work sleep",
			"dsn (redacted) (flag --dsn) has no effect with work sleep",
			"dial-timeout 1s (flag --dial-timeout) has no effect with work sleep",
		}},
		{"kinds of work that a request may ask for", flags("slots=2", "max-threads=9"), []string{
			"slots 2 (flag --slots) has no effect with work sleep, except on requests that ask for work mutex",
			"max-threads 9 (flag --max-threads) has no effect in mode goroutine with work sleep," +
				" except on requests that ask for work block",
		}},
		{"kinds of work that none asks for", flags("slots=2", "max-threads=9", "overrides=false"), []string{
			"slots 2 (flag --slots) has no effect with work sleep",
			"max-threads 9 (flag --max-threads) has no effect in mode goroutine with work sleep",
		}},
		{"how long a disk may take", flags("work=file", "dial-timeout=1s"), nil},
		{"threads of a kind of work", flags("work=block", "max-threads=9", "overrides=false"), nil},
		{"worker processes", flags("processes=1", "worker-timeout=10s"), nil},
		{"no worker processes", flags("worker-timeout=10s"), []string{
			"worker-timeout 10s (flag --worker-timeout) has no effect without processes",
		}},
		{"pool's preset elsewhere", flags("preset=small-pool", "mode=single"), []string{
			"workers 10 (preset small-pool) has no effect in mode single",
			"queue 20 (preset small-pool) has no effect in mode single",
			"queue-timeout 5s (preset small-pool) has no effect in mode single",
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, catalog.Warnings(load(t, Inputs{Flags: c.flags}))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

//go:build !linux

package transport

import (
	"time"

	"demo-server/server"
)

// A waiter has no poll to wait in on this system: the job's own timer does, and no client is seen to leave.
type waiter struct{}

func newWaiter(*server.App) (*waiter, error) { return &waiter{}, nil }

func (*waiter) run(_ *conn, job *server.Job) { job.Run() }

func (*waiter) pause(c *conn, d time.Duration) error { return c.job.Pause(d) }

func (*waiter) hang(c *conn) { c.hang() }

func (*waiter) close() {}

func (*conn) unread() bool { return false }

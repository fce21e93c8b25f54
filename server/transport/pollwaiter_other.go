//go:build !linux

package transport

import (
	"time"

	"demo-server/server"
)

// A pollWaiter cannot poll on this system. It uses the job's own timer, and does not notice disconnects.
type pollWaiter struct{}

func newPollWaiter(*server.App) (*pollWaiter, error) { return &pollWaiter{}, nil }

func (*pollWaiter) run(_ *conn, job *server.Job) { job.Run() }

func (*pollWaiter) pause(c *conn, d time.Duration) error { return c.job.Pause(d) }

func (*pollWaiter) hang(c *conn) { c.hang() }

func (*pollWaiter) close() {}

func (*conn) unread() bool { return false }

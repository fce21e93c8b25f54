package transport

import (
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"demo-server/server"
	"demo-server/server/http1"
	"demo-server/work"
)

// A pollWaiter waits on one thread for the end of a job's delay, a disconnect, and the drain deadline. The delay is a
// kernel timer, because poll may wake late by a thousandth of its timeout.
type pollWaiter struct {
	app   *server.App
	timer int           // a timerfd, readable after the delay
	wake  int           // an eventfd, readable after the drain deadline
	stop  chan struct{} // closed to end the wait for the drain deadline
	done  sync.WaitGroup
}

func newPollWaiter(app *server.App) (*pollWaiter, error) {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC)
	if err != nil {
		unix.Close(wake)
		return nil, err
	}
	w := &pollWaiter{app: app, timer: timer, wake: wake, stop: make(chan struct{})}
	w.done.Go(func() {
		select {
		case <-app.DrainExpired():
			signal(wake)
		case <-w.stop:
		}
	})
	return w, nil
}

func (w *pollWaiter) close() {
	close(w.stop)
	w.done.Wait()
	unix.Close(w.timer)
	unix.Close(w.wake)
}

func (w *pollWaiter) run(c *conn, job *server.Job) {
	if c.raw == nil || job.Holds() != work.Nothing {
		job.Run()
		return
	}
	if err := job.Start(); err != nil {
		job.End(err)
		return
	}
	var err error
	if delay := job.Delay(); delay > 0 {
		err = w.wait(c.raw, job, delay, w.leaves())
	}
	job.End(err)
}

// pause waits for d between parts of the reply. If the job is cancelled first, it returns an error.
func (w *pollWaiter) pause(c *conn, d time.Duration) error {
	switch {
	case c.raw == nil:
		return c.job.Pause(d)
	case d <= 0:
		return c.job.Err()
	}
	return w.wait(c.raw, &c.job, d, w.leaves())
}

// hang waits for a disconnect, the drain deadline, or the end of a reply that hangs.
func (w *pollWaiter) hang(c *conn) {
	if c.raw == nil {
		c.hang()
		return
	}
	w.wait(c.raw, &c.job, c.answer.Over, unix.POLLRDHUP)
}

// leaves returns the poll events that mean a disconnect, in addition to a reset.
func (w *pollWaiter) leaves() int16 {
	if w.app.AnswersHalfClosed() {
		return 0
	}
	return unix.POLLRDHUP
}

func (w *pollWaiter) wait(raw syscall.RawConn, job *server.Job, d time.Duration, leaves int16) (err error) {
	// Control keeps the descriptor open while poll uses it: otherwise another connection might get its number.
	raw.Control(func(fd uintptr) { err = w.poll(int32(fd), job, d, leaves) })
	return err
}

// poll waits for d, which is above 0. If the job is cancelled first, it returns an error.
func (w *pollWaiter) poll(fd int32, job *server.Job, d time.Duration, leaves int16) error {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if err := unix.TimerfdSettime(w.timer, 0, &spec, nil); err != nil {
		return err
	}
	fds := []unix.PollFd{
		{Fd: int32(w.timer), Events: unix.POLLIN},
		{Fd: int32(w.wake), Events: unix.POLLIN},
		{Fd: fd, Events: leaves},
	}
	for {
		_, err := unix.Ppoll(fds, nil, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return err
		case fds[0].Revents != 0:
			return nil
		case fds[1].Revents != 0:
			job.Abort()
			return job.Err()
		default:
			job.Disconnect()
			if err := job.Err(); err != nil {
				return err
			}
			fds = fds[:2] // FinishOnDisconnect: the wait continues without the client
		}
	}
}

// unread reports whether the kernel has unread input.
func (c *conn) unread() bool {
	if c.raw == nil {
		return false
	}
	waiting := false
	c.raw.Control(func(fd uintptr) { waiting = http1.Unread(int(fd)) })
	return waiting
}

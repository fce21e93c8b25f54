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

// A pollWaiter waits on one thread for three things at once: the end of a job's delay, its client's leaving, and the drain
// deadline. The delay is a timer of the kernel's, because poll itself may wake a thousandth of its timeout late.
type pollWaiter struct {
	app   *server.App
	timer int           // a timerfd, readable once the delay is over
	wake  int           // an eventfd that the drain deadline makes readable
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

// pause waits for a part of the reply. It returns early, with an error, once the job is cancelled.
func (w *pollWaiter) pause(c *conn, d time.Duration) error {
	switch {
	case c.raw == nil:
		return c.job.Pause(d)
	case d <= 0:
		return c.job.Err()
	}
	return w.wait(c.raw, &c.job, d, w.leaves())
}

// hang waits until the client leaves, the drain deadline, or the end of the time that a reply may hang.
func (w *pollWaiter) hang(c *conn) {
	if c.raw == nil {
		c.hang()
		return
	}
	w.wait(c.raw, &c.job, c.answer.Over, unix.POLLRDHUP)
}

// leaves is what says that a client has left, in addition to a reset.
func (w *pollWaiter) leaves() int16 {
	if w.app.AnswersHalfClosed() {
		return 0
	}
	return unix.POLLRDHUP
}

func (w *pollWaiter) wait(raw syscall.RawConn, job *server.Job, d time.Duration, leaves int16) (err error) {
	// Control keeps the descriptor from being closed, and so from being another connection's, while poll uses it.
	raw.Control(func(fd uintptr) { err = w.poll(int32(fd), job, d, leaves) })
	return err
}

// poll waits for d, which is above 0. It returns early, with an error, once the job is cancelled.
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
			fds = fds[:2] // on-leave=finish: the client is gone, the wait goes on
		}
	}
}

// unread reports whether the kernel holds bytes of the client's that nobody read.
func (c *conn) unread() bool {
	if c.raw == nil {
		return false
	}
	waiting := false
	c.raw.Control(func(fd uintptr) { waiting = http1.Unread(int(fd)) })
	return waiting
}

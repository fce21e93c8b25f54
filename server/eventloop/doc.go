// Package eventloop serves connections on event loops.
//
// A group is one run of a mode. It has n loops, each a goroutine with a Poller, and they share one listening socket.
// A loop owns its conns, their timers and its buffers, and nothing else touches them. Other goroutines post messages to
// its mailbox: a job has ended, a job may sleep, or another loop has accepted a connection for this one.
//
// One turn of a loop:
//
//	housekeep     shutdown, accepting again
//	poller.Wait   until an event, a deadline, or a message
//	handle        for each event: accept, read and parse requests, write
//	resume        connections with more input than one read
//	drainMailbox  replies of jobs that have ended
//	runTimers     delays that are over, pieces of replies that are due
//	sweep         timeouts, now and then
//
// http1.ConnState has the states of a connection. A request takes this way through them:
//
//	process, consume, begin, admit    New or Idle, Head, Body
//	App.Admit, schedule, jobEnded     Handling
//	answer, write, sent, finish       Writing, Idle
//
// Read the files in this order: group.go, loop.go, conn.go, read.go, write.go. Then timers.go, table.go and poller.go,
// and epoll_linux.go last.
//
// The package must not know which mode it serves, or where a job runs: a schedule function decides that.
package eventloop

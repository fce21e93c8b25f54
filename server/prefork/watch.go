package prefork

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// A worker hangs if it neither answers nor uses CPU time. One that is starved uses some, and one that is idle answers.
// How a worker is asked is none of this package's business: Answered is told what came of it.

// Answered notes that a worker has answered just now. A caller that plans a WorkerTimeout has to ask each worker that is
// ready, several times in that time.
func (s *Supervisor) Answered(pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.workers {
		if w.PID == pid {
			w.silent = 0
		}
	}
}

// watch kills workers that hang, until ctx is done. It counts its own rounds, not the time on the clock: while this
// process stands still, because somebody stopped it or suspended the machine, it can hear no answer.
func (s *Supervisor) watch(ctx context.Context) {
	for ctx.Err() == nil {
		round := roundOf(s.Plan().WorkerTimeout)
		select {
		case <-time.After(round):
			s.look(round)
		case <-ctx.Done():
		}
	}
}

// roundOf is how often to look.
func roundOf(timeout time.Duration) time.Duration {
	if timeout == 0 {
		return time.Second
	}
	return min(max(timeout/10, 10*time.Millisecond), time.Second)
}

// look takes one look at each worker. Those that start have a timeout of their own.
func (s *Supervisor) look(round time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	timeout := s.current.WorkerTimeout
	for _, w := range s.workers {
		if !w.ready {
			continue
		}
		if cpu := cpuTime(w.PID); cpu != w.cpu || timeout == 0 {
			w.cpu, w.silent = cpu, 0
			continue
		}
		if w.silent += round; w.silent >= timeout {
			w.kill(fmt.Errorf("neither answered nor used CPU time for %s", timeout))
		}
	}
}

// cpuTime is the CPU time that a process has used, in user and in kernel mode, as /proc has it; empty if that cannot be
// read, so that only answers count.
func cpuTime(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	stat = stat[bytes.LastIndexByte(stat, ')')+1:] // the name, which may hold anything
	fields := strings.Fields(string(stat))         // from the third on: utime is the 14th, stime the 15th
	if len(fields) < 13 {
		return ""
	}
	return fields[11] + " " + fields[12]
}

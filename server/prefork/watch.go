package prefork

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// A worker hangs if it neither answers nor uses CPU time. A starved worker uses some, and an idle one answers. The
// caller asks workers, and reports their answers to Answered.

// Answered notes that a worker has just answered. If the plan has a WorkerTimeout, the caller has to ask each ready
// worker several times in that time.
func (s *Supervisor) Answered(pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.workers {
		if w.PID == pid {
			w.silent = 0
		}
	}
}

// watch kills workers that hang, until ctx is done. It counts its own rounds instead of time: while this process is
// stopped, or the machine is suspended, it cannot receive answers.
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

// roundOf returns the length of a round.
func roundOf(timeout time.Duration) time.Duration {
	if timeout == 0 {
		return time.Second
	}
	return min(max(timeout/10, 10*time.Millisecond), time.Second)
}

// look checks each ready worker. Starting ones have a timeout of their own.
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

// cpuTime returns the CPU time of a process from /proc, in user and in kernel mode. If it is unavailable, cpuTime
// returns "", and only answers count.
func cpuTime(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	stat = stat[bytes.LastIndexByte(stat, ')')+1:] // skip the name, which may contain anything
	fields := strings.Fields(string(stat))         // from the third on: utime is the 14th, stime the 15th
	if len(fields) < 13 {
		return ""
	}
	return fields[11] + " " + fields[12]
}

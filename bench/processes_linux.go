package bench

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/prometheus/procfs"

	"demo-server/bench/result"
)

// A processes is a child and all its descendants.
type processes struct {
	root      int
	members   []procfs.Proc
	switches  map[int]float64 // by thread, including threads that have ended
	refreshed time.Time
}

func newProcesses(root int) *processes { return &processes{root: root, switches: map[int]float64{}} }

// refreshEvery is the interval for reading expensive data: the members of the process tree, and each thread's switches.
const refreshEvery = time.Second

// read sets the fields that the kernel provides. Fields of processes that have ended stay null.
func (p *processes) read(s *result.Sample, last bool) {
	if last || time.Since(p.refreshed) >= refreshEvery {
		p.refresh()
	}
	var resident, cpu, threads, files float64
	alive := false
	for _, member := range p.members {
		stat, err := member.Stat()
		if err != nil {
			continue
		}
		alive = true
		resident += float64(stat.ResidentMemory())
		cpu += stat.CPUTime()
		threads += float64(stat.NumThreads)
		if open, err := member.FileDescriptorsLen(); err == nil {
			files += float64(open)
		}
	}
	if !alive {
		return
	}
	switches := 0.0
	for _, n := range p.switches {
		switches += n
	}
	s.Resident, s.CPU, s.Threads, s.OpenFiles, s.Switches = &resident, &cpu, &threads, &files, &switches
}

func (p *processes) refresh() {
	p.refreshed = time.Now()
	p.members = tree(p.root)
	for _, thread := range p.threads() {
		// The status that procfs reads is the thread's own.
		if status, err := thread.NewStatus(); err == nil {
			p.switches[thread.PID] = float64(status.VoluntaryCtxtSwitches + status.NonVoluntaryCtxtSwitches)
		}
	}
}

// threads returns the threads of all members.
func (p *processes) threads() (all []procfs.Proc) {
	for _, member := range p.members {
		if threads, err := procfs.AllThreads(member.PID); err == nil {
			all = append(all, threads...)
		}
	}
	return all
}

// exactCPU returns the seconds of CPU used by the threads that exist now. The kernel counts a process in ticks of
// 10 ms, which is too coarse for an idle one.
func (p *processes) exactCPU() (seconds float64) {
	for _, thread := range p.threads() {
		if stat, err := thread.Schedstat(); err == nil {
			seconds += float64(stat.RunningNanoseconds) / 1e9
		}
	}
	return seconds
}

// serves reports whether the process root or a descendant listens on a TCP port. It also returns true if the kernel
// does not report the listener.
func serves(root, port int) bool {
	sockets := listening(port)
	if len(sockets) == 0 {
		return true
	}
	for _, member := range tree(root) {
		open, _ := member.FileDescriptorTargets() // empty for a process that has just ended
		for _, name := range open {
			if sockets[name] {
				return true
			}
		}
	}
	return false
}

// listening returns the sockets that listen on a port, by their names in /proc/PID/fd.
func listening(port int) map[string]bool {
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} { // [::] also accepts connections to 127.0.0.1
		text, _ := os.ReadFile(table) // some machines lack IPv6
		for line := range strings.Lines(string(text)) {
			// proc(5): sl local_address rem_address st ... inode; 0A is TCP_LISTEN
			fields := strings.Fields(line)
			if len(fields) > 9 && fields[3] == "0A" && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) {
				sockets["socket:["+fields[9]+"]"] = true
			}
		}
	}
	return sockets
}

// tree returns the process root and its descendants.
func tree(root int) []procfs.Proc {
	all, err := procfs.AllProcs()
	if err != nil {
		return nil
	}
	children := map[int][]procfs.Proc{}
	var members []procfs.Proc
	for _, proc := range all {
		if proc.PID == root {
			members = append(members, proc)
		}
		if stat, err := proc.Stat(); err == nil {
			children[stat.PPID] = append(children[stat.PPID], proc)
		}
	}
	for i := 0; i < len(members); i++ {
		members = append(members, children[members[i].PID]...)
	}
	return members
}

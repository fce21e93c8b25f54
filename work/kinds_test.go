package work_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"demo-server/work"
)

func newFile(t *testing.T, maxThreads int) (*work.File, string) {
	t.Helper()
	dir := t.TempDir()
	file, err := work.NewFile(dir, maxThreads, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
			t.Errorf("%v left, %v", left, err)
		}
	})
	return file, dir
}

// kinds returns the kinds that take real time.
func kinds(t *testing.T) map[string]work.Work {
	file, _ := newFile(t, 1000)
	return map[string]work.Work{
		"sleep": work.NewSleep(), "block": work.NewBlock(1000), "cpu": work.NewCPU(), "mutex": work.NewMutex(1), "file": file,
	}
}

// TestKinds checks what all kinds have in common: they take their delay, nothing for a delay of 0, and end at once with
// their context.
func TestKinds(t *testing.T) {
	const delay, long = 50 * time.Millisecond, time.Minute
	// A busy machine may take longer. The kinds' own tests check how exact they are.
	const slack = 5 * time.Second
	for name, kind := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			if err := kind.Do(t.Context(), delay); err != nil {
				t.Fatal(err)
			}
			// cpu takes CPU time, which is at most the time on the clock
			if took := time.Since(began); took < delay-time.Millisecond || took > delay+slack {
				t.Errorf("took %s, want %s", took, delay)
			}
			if err := kind.Do(t.Context(), 0); err != nil {
				t.Error(err)
			}
			for _, after := range []time.Duration{0, time.Microsecond, delay} {
				ctx, cancel := context.WithTimeout(t.Context(), after)
				began := time.Now()
				if err := kind.Do(ctx, long); !errors.Is(err, ctx.Err()) || err == nil {
					t.Errorf("cancelled after %s: %v", after, err)
				}
				if took := time.Since(began); took > after+slack {
					t.Errorf("cancelled after %s, it took %s", after, took)
				}
				cancel()
			}
		})
	}
	goleak.VerifyNone(t)
}

// TestHolds checks the resources, which modes decide by.
func TestHolds(t *testing.T) {
	want := map[string]work.Resource{
		"sleep": work.Nothing, "block": work.Thread, "cpu": work.Core, "mutex": work.Slot, "file": work.Thread,
	}
	for name, kind := range kinds(t) {
		if kind.Holds() != want[name] {
			t.Errorf("%s holds %s, want %s", name, kind.Holds(), want[name])
		}
	}
}

// TestManyAtOnce checks that requests that share work, some of which are cancelled, end independently.
func TestManyAtOnce(t *testing.T) {
	for name, kind := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			var all sync.WaitGroup
			for i := range 40 {
				all.Go(func() {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					leaves := i%2 == 0
					if leaves {
						time.AfterFunc(time.Duration(i)*time.Millisecond/4, cancel)
					}
					err := kind.Do(ctx, time.Duration(1+i/10)*time.Millisecond)
					if err != nil && (!leaves || !errors.Is(err, context.Canceled)) {
						t.Errorf("%d: %v", i, err)
					}
				})
			}
			all.Wait()
			if pooled, ok := kind.(work.Pooled); ok {
				if pool := pooled.Pool(); pool.InUse != 0 || pool.Waiting != 0 || pool.Name != name {
					t.Errorf("afterwards the pool is %+v", pool)
				}
			}
		})
	}
}

// TestBlockHoldsThreads checks that each request holds a thread, up to the limit.
func TestBlockHoldsThreads(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("threads are counted in /proc")
	}
	const most = 20
	threads := func() int {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Fatal(err)
		}
		return len(tasks)
	}
	block := work.NewBlock(most)
	ctx, leave := context.WithCancel(t.Context())
	before := threads()
	var all sync.WaitGroup
	for range 5 * most {
		all.Go(func() { block.Do(ctx, time.Minute) })
	}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if pool := block.Pool(); pool.InUse == most && pool.Waiting == 4*most && threads() >= most {
			break
		}
	}
	if pool := block.Pool(); pool.InUse != most || pool.Waiting != 4*most {
		t.Errorf("%+v, want %d in use, %d waiting", pool, most, 4*most)
	}
	// The runtime has some threads of its own, and starts more now and then.
	if n := threads(); n < most || n > before+most+10 {
		t.Errorf("%d threads, want %d that block and the %d before", n, most, before)
	}
	leave()
	all.Wait()
}

// TestCPUIsExact checks that the CPU time used is the delay, within 5%, even on a busy machine.
func TestCPUIsExact(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the CPU time of a thread is not known here")
	}
	cpu := work.NewCPU()
	for _, delay := range []time.Duration{time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond} {
		limit := delay + delay/20 + 100*time.Microsecond
		least := time.Hour
		for range 20 { // on a virtual machine, the host may take some of a thread's time
			used := threadTimeOf(func() { cpu.Do(t.Context(), delay) })
			if least = min(least, used); least <= limit {
				break
			}
		}
		if least < delay-delay/20 || least > limit {
			t.Errorf("used %s of CPU time at least, want %s", least, delay)
		}
	}
}

// TestFileFails checks that a folder that cannot be written is an error at once, in one line with the folder's name.
func TestFileFails(t *testing.T) {
	dir := t.TempDir() + "/nowhere"
	_, err := work.NewFile(dir, 1, time.Minute)
	if !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "cannot make a file in "+dir+": ") {
		t.Errorf("%v, want %v", err, os.ErrNotExist)
	}
}

// TestFileHoldsThreads checks the limit on threads that wait for the disk.
func TestFileHoldsThreads(t *testing.T) {
	file, _ := newFile(t, 2)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { file.Do(ctx, time.Minute) })
	}
	want := work.PoolStats{Name: "file", Size: 2, InUse: 2, Waiting: 8}
	for end := time.Now().Add(30 * time.Second); file.Pool() != want && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if pool := file.Pool(); pool != want {
		t.Errorf("%+v, want %+v", pool, want)
	}
	leave()
	all.Wait()
}

// TestFileUsesFilesAgain checks that there are as many files as concurrent requests, and no more.
func TestFileUsesFilesAgain(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("open files are counted in /proc")
	}
	open := func() int {
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	before := open()
	file, _ := newFile(t, 2)
	for range 10 {
		if err := file.Do(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	if n := open(); n != before+1 {
		t.Errorf("%d files open, want 1", n-before)
	}
}

// TestFileCheck checks that a problem with new files is seen, although there are old ones to work on.
func TestFileCheck(t *testing.T) {
	file, dir := newFile(t, 1)
	if err := file.Do(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := file.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if err := file.Check(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v, want %v", err, os.ErrNotExist)
	}
	if err := file.Do(t.Context(), 1); err != nil {
		t.Error(err)
	}
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	if err := file.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func BenchmarkKinds(b *testing.B) {
	cpu, block := work.NewCPU(), work.NewBlock(1000)
	for name, kind := range map[string]work.Work{"cpu": cpu, "block": block, "sleep": work.NewSleep()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				kind.Do(b.Context(), 100*time.Microsecond)
			}
		})
	}
}

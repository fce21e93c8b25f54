package work

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// fileSize is what is written, synced and read back at once.
const fileSize = 64 << 10

// FileKind describes File.
var FileKind = Kind{
	Name:        "file",
	Summary:     "write, sync and read back files, which holds a thread",
	Holds:       Thread,
	SideEffects: true,
	Settings:    []string{"max-threads", "dir", "dial-timeout"},
	Limit:       threadLimit,
	Files:       func(o Options) int { return o.MaxThreads },
	Open: func(o Options) (Work, []io.Closer, error) {
		file, err := NewFile(o.Dir, o.MaxThreads, o.DialTimeout)
		if err != nil {
			return nil, nil, fmt.Errorf("%w (see --dir)", err)
		}
		return file, []io.Closer{file}, nil
	},
}

// File is work that waits for a disk: it writes 64 KiB, has them synced, reads them back and compares them, until the
// delay has passed, at least once. The thread sits in the kernel meanwhile, because files have no other way.
//
// Each that works has a file of its own, which others use after it.
type File struct {
	threads *Semaphore
	dir     string
	try     func(dir string) error // writes one file

	mu    sync.Mutex
	free  []*os.File
	named []string // of files whose name this system does not give up as long as they are open
	trial *trial   // that is under way, or nil
}

// A trial is one try of the disk, for all who ask meanwhile: one that hangs holds a thread for as long as it does.
type trial struct {
	over chan struct{}
	err  error // once it is over
}

// NewFile returns work on files in dir, an empty string for the system's folder for temporary files. It writes one at
// once, so that a folder that cannot be written, or not within timeout, is an error here. As with Block, at most
// maxThreads threads wait for the disk at a time.
func NewFile(dir string, maxThreads int, timeout time.Duration) (*File, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	f := &File{threads: NewSemaphore("file", maxThreads), dir: dir, try: tryFile}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := f.Check(ctx); err != nil {
		return nil, err
	}
	return f, nil
}

// Holds is Thread.
func (f *File) Holds() Resource { return Thread }

// Pool is the threads.
func (f *File) Pool() PoolStats { return f.threads.Pool() }

// Check writes, syncs and reads back once, in a new file, because one that has its blocks already says nothing of a disk
// that is full. It does so beside all that work: that they are many does not mean that the disk is out of order.
func (f *File) Check(ctx context.Context) error {
	current := f.join()
	select {
	case <-current.over:
		return current.err
	case <-ctx.Done():
		return fmt.Errorf("the disk of %s does not answer: %w", f.dir, ctx.Err())
	}
}

// join returns the trial that is under way, or begins one.
func (f *File) join() *trial {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.trial == nil {
		f.trial = &trial{over: make(chan struct{})}
		go f.run(f.trial)
	}
	return f.trial
}

func (f *File) run(t *trial) {
	t.err = f.try(f.dir)
	f.mu.Lock()
	f.trial = nil
	f.mu.Unlock()
	close(t.over)
}

func tryFile(dir string) error {
	file, named, err := create(dir)
	if err != nil {
		return err
	}
	err = cmp.Or(round(file), file.Close())
	if named {
		err = cmp.Or(err, os.Remove(file.Name()))
	}
	return err
}

// Do works on a file for the delay, or until ctx is done, which it sees between two rounds, and then returns ctx.Err().
func (f *File) Do(ctx context.Context, delay time.Duration) error {
	if delay <= 0 {
		return ctx.Err()
	}
	if err := f.threads.Acquire(ctx); err != nil {
		return err
	}
	defer f.threads.Release()
	file, err := f.open()
	if err != nil {
		return err
	}
	defer f.release(file)
	for end := time.Now().Add(delay); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := round(file); err != nil {
			return err
		}
		if time.Now().After(end) {
			return nil
		}
	}
}

// open returns a file that nobody uses.
func (f *File) open() (*os.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if last := len(f.free) - 1; last >= 0 {
		file := f.free[last]
		f.free = f.free[:last]
		return file, nil
	}
	file, named, err := create(f.dir)
	if named {
		f.named = append(f.named, file.Name())
	}
	return file, err
}

// create makes a file, and takes its name away, so that it is gone with the process, however that ends. Where the system
// does not let go of a name as long as the file is open, it is named.
func create(dir string) (file *os.File, named bool, err error) {
	file, err = os.CreateTemp(dir, "demo-server-")
	if err != nil {
		// The name was made up a moment ago: only the folder means something to whoever reads this.
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			err = path.Err
		}
		return nil, false, fmt.Errorf("cannot make a file in %s: %w", dir, err)
	}
	return file, os.Remove(file.Name()) != nil, nil
}

func (f *File) release(file *os.File) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.free = append(f.free, file)
}

// Close removes the files. No work may be under way.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, file := range f.free {
		errs = append(errs, file.Close())
	}
	for _, name := range f.named {
		errs = append(errs, os.Remove(name))
	}
	f.free, f.named = nil, nil
	return errors.Join(errs...)
}

// fileBuffers are what is written, and what is read back.
type fileBuffers struct {
	out, in [fileSize]byte
	rounds  uint64
}

var buffersOf = sync.Pool{New: func() any { return new(fileBuffers) }}

// round writes something new, so that what is read back cannot be what was there before.
func round(file *os.File) error {
	b := buffersOf.Get().(*fileBuffers)
	defer buffersOf.Put(b)
	b.rounds++
	for at := 0; at < fileSize; at += 512 {
		binary.LittleEndian.PutUint64(b.out[at:], b.rounds)
	}
	if _, err := file.WriteAt(b.out[:], 0); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if _, err := file.ReadAt(b.in[:], 0); err != nil {
		return err
	}
	if !bytes.Equal(b.in[:], b.out[:]) {
		return fmt.Errorf("read %s: not what was written", file.Name())
	}
	return nil
}

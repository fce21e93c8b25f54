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

// fileSize is the number of bytes written, synced and read back at once.
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

// A File waits for a disk: it writes 64 KiB, syncs them, reads them back and compares them, at least once and until the
// delay has passed. Its thread sits in the kernel, because files cannot be polled.
//
// Each request at work uses a file of its own, which later requests reuse.
type File struct {
	threads *Semaphore
	dir     string
	try     func(dir string) error // writes one file

	mu    sync.Mutex
	free  []*os.File
	named []string // of files whose names the system keeps while they are open
	trial *trial   // the one in progress, or nil
}

// A trial is one test of the disk, for all callers of Check at the time. A trial that hangs holds only one thread.
type trial struct {
	over chan struct{}
	err  error // valid once over is closed
}

// NewFile returns work on files in dir, or in the system's folder for temporary files if dir is "". It first writes one
// file: a folder that cannot be written, or not within timeout, is an error. As with Block, at most maxThreads threads
// wait for the disk at a time.
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

// Holds returns Thread.
func (f *File) Holds() Resource { return Thread }

// Pool returns the state of the threads.
func (f *File) Pool() PoolStats { return f.threads.Pool() }

// Check writes, syncs and reads back a new file. An existing file already has its blocks, and would not show that the
// disk is full. Check does not need one of the work's threads: if they are all in use, the disk may still be in order.
func (f *File) Check(ctx context.Context) error {
	current := f.join()
	select {
	case <-current.over:
		return current.err
	case <-ctx.Done():
		return fmt.Errorf("the disk of %s does not answer: %w", f.dir, ctx.Err())
	}
}

// join returns the trial in progress, or starts one.
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

// Do works on a file for the delay, or until ctx is done, and then returns ctx.Err(). It checks ctx between rounds.
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

// open returns an unused file.
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

// create creates a file and removes its name, so the file disappears with the process in any case. named is true if the
// system keeps the name while the file is open.
func create(dir string) (file *os.File, named bool, err error) {
	file, err = os.CreateTemp(dir, "demo-server-")
	if err != nil {
		// The random name would mean nothing to a reader: only the folder does.
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

// Close removes the files. No work may be in progress.
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

// A fileBuffers holds the bytes to write, and the bytes read back.
type fileBuffers struct {
	out, in [fileSize]byte
	rounds  uint64
}

var buffersOf = sync.Pool{New: func() any { return new(fileBuffers) }}

// round writes new bytes each time, because old ones would pass the comparison.
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

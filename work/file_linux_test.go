package work

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fileOn returns work whose next file is next.
func fileOn(t *testing.T, next *os.File) *File {
	t.Helper()
	file, err := NewFile(t.TempDir(), 1, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	file.release(next)
	return file
}

// failed checks that Do fails with one line, and releases its thread.
func failed(t *testing.T, file *File, is func(error) bool) {
	t.Helper()
	if err := file.Do(t.Context(), time.Minute); err == nil || !is(err) || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
	if pool := file.Pool(); pool.InUse != 0 {
		t.Errorf("afterwards the pool is %+v", pool)
	}
}

// TestFileFailsInMidRun checks that a failure of the disk ends the work at once.
func TestFileFailsInMidRun(t *testing.T) {
	for device, want := range map[string]error{
		"/dev/full": unix.ENOSPC, // cannot be written
		"/dev/zero": unix.EINVAL, // can be written, but not synced
	} {
		t.Run(device, func(t *testing.T) {
			next, err := os.OpenFile(device, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			failed(t, fileOn(t, next), func(err error) bool { return errors.Is(err, want) })
		})
	}
}

// TestFileReadsSomethingElse checks that the bytes read back are compared.
func TestFileReadsSomethingElse(t *testing.T) {
	name := t.TempDir() + "/longer"
	if err := os.WriteFile(name, make([]byte, fileSize), 0o600); err != nil {
		t.Fatal(err)
	}
	longer, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	// From now on Linux appends all writes, and the beginning stays as it was. Package os would refuse to write at an
	// offset, but does not know about O_APPEND here.
	if _, err := unix.FcntlInt(longer.Fd(), unix.F_SETFL, unix.O_APPEND); err != nil {
		t.Fatal(err)
	}
	failed(t, fileOn(t, longer), func(err error) bool {
		return err.Error() == "read "+name+": not what was written"
	})
}

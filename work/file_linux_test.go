package work

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fileOn returns work whose next file is the given one.
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

// failed checks that who works is told in one line.
func failed(t *testing.T, file *File, is func(error) bool) {
	t.Helper()
	if err := file.Do(t.Context(), time.Minute); err == nil || !is(err) || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
	if pool := file.Pool(); pool.InUse != 0 {
		t.Errorf("afterwards the pool is %+v", pool)
	}
}

// TestFileFailsInMidRun: what goes wrong on the disk later ends the work at once.
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

// TestFileReadsSomethingElse: what is read back is compared with what was written.
func TestFileReadsSomethingElse(t *testing.T) {
	name := t.TempDir() + "/longer"
	if err := os.WriteFile(name, make([]byte, fileSize), 0o600); err != nil {
		t.Fatal(err)
	}
	longer, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	// From now on Linux appends wherever it is told to write, so that the beginning stays as it was. Package os, which
	// would refuse to write at an offset, does not know.
	if _, err := unix.FcntlInt(longer.Fd(), unix.F_SETFL, unix.O_APPEND); err != nil {
		t.Fatal(err)
	}
	failed(t, fileOn(t, longer), func(err error) bool {
		return err.Error() == "read "+name+": not what was written"
	})
}

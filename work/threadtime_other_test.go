//go:build !linux

package work_test

import "time"

// threadTimeOf is asked on Linux only.
func threadTimeOf(func()) time.Duration { panic("not known here") }

//go:build !linux

package work_test

import "time"

// threadTimeOf is called on Linux only.
func threadTimeOf(func()) time.Duration { panic("not known here") }

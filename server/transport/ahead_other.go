//go:build !linux

package transport

import "syscall"

// An ahead reads nothing on this system.
type ahead struct{}

func newAhead() *ahead { return &ahead{} }

func (*ahead) read(syscall.RawConn, int) []byte { return nil }

func (*ahead) drop(syscall.RawConn) (ended bool) { return false }

func (*conn) taken() uint64 { return 0 }

func (*conn) undelivered() bool { return false }

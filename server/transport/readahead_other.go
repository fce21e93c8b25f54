//go:build !linux

package transport

import "syscall"

// A readAhead reads nothing on this system.
type readAhead struct{}

func newReadAhead() *readAhead { return &readAhead{} }

func (*readAhead) read(syscall.RawConn, int) []byte { return nil }

func (*readAhead) drop(syscall.RawConn) (ended bool) { return false }

func (*conn) acked() uint64 { return 0 }

func (*conn) undelivered() bool { return false }

//go:build !linux

package transport

func (*conn) taken() uint64 { return 0 }

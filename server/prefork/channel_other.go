//go:build !linux

package prefork

import (
	"net"
	"os"
)

// Other systems cannot run workers: see Supported.

func newChannel() (ours *net.UnixConn, theirs *os.File, err error) { return nil, nil, Supported() }

func newStream() (ours *net.UnixConn, theirs *os.File, err error) { return nil, nil, Supported() }

func pass(*net.UnixConn, *os.File) error { return Supported() }

func receive(*net.UnixConn) (*net.UnixConn, error) { return nil, Supported() }

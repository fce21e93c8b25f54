//go:build !linux

package listener

import (
	"errors"
	"net"
	"os"
)

func duplicate(net.Listener) (net.Listener, error) { return nil, errors.ErrUnsupported }

func fileOf(net.Listener) (*os.File, error) { return nil, errors.ErrUnsupported }

func setBacklog(net.Listener, int) error { return errors.ErrUnsupported }

func acceptQueue(net.Listener) (AcceptQueue, bool) { return AcceptQueue{}, false }

func dropNew(net.Listener) error { return errors.ErrUnsupported }

//go:build !linux

package eventloop

import (
	"errors"
	"net"
	"time"
)

func newEpoll(*net.TCPListener, func() time.Duration) (Poller, error) {
	return nil, errors.ErrUnsupported
}

//go:build !linux

package eventloop

import (
	"errors"
	"net"

	"demo-server/server"
)

func newEpoll(*server.App, net.Listener) (Poller, error) { return nil, errors.ErrUnsupported }

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"demo-server/configs"
	"demo-server/server/host"
)

// sockets are listeners that a process was given, by systemd or by its supervisor. What is nil it opens itself.
type sockets struct {
	serve net.Listener
	admin net.Listener
	queue func() host.AcceptQueuePolicy // what becomes of the accept queue of serve

	private bool // only the supervisor can connect to admin
}

// adminName is what a socket unit calls the socket of the admin listener (FileDescriptorName=).
const adminName = "admin"

// socketsOfSystemd takes over what systemd listens on for this service (LISTEN_FDS), if anything.
func socketsOfSystemd() (sockets, error) { return socketsOf(activation.Files(true)) }

// socketsOf takes over the files, which it closes.
func socketsOf(files []*os.File) (given sockets, err error) {
	for _, file := range files {
		listener, err := listenerOf(file)
		switch {
		case err != nil:
			return sockets{}, err
		case file.Name() == adminName && given.admin != nil:
			return sockets{}, errors.New("systemd handed over several sockets called \"admin\": give one")
		case file.Name() == adminName:
			given.admin = listener
		case given.serve != nil:
			return sockets{}, errors.New("systemd handed over several sockets to serve on: give one, and call the one for admin \"admin\"")
		default:
			given.serve = listener
		}
	}
	// Systemd goes on listening: who connects while the service is stopped waits for its next start.
	given.queue = func() host.AcceptQueuePolicy {
		if given.serve == nil {
			return host.Drain
		}
		return host.Leave
	}
	return given, nil
}

// replaces names the settings that were given in vain, because the sockets are there already.
func (s sockets) replaces(settings *configs.Settings) (names []string) {
	for name, listener := range map[string]net.Listener{
		"host": s.serve, "port": s.serve, "backlog": s.serve, "admin-addr": s.admin,
	} {
		if listener != nil && settings.Source(name).Kind != configs.FromDefault {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func listenerOf(file *os.File) (net.Listener, error) {
	defer file.Close() // the listener has a duplicate
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("systemd handed over %q, which is no listening socket: %w", file.Name(), err)
	}
	if _, tcp := listener.(*net.TCPListener); !tcp {
		listener.Close()
		return nil, fmt.Errorf("systemd handed over %q, a %s socket: want TCP", file.Name(), listener.Addr().Network())
	}
	return listener, nil
}

// notifyTimeout is how long the reader of NOTIFY_SOCKET may take.
const notifyTimeout = time.Second

// notify tells systemd the state of the service, where it wants to know (NOTIFY_SOCKET). It does not wait for a reader
// that has stopped.
func notify(logger *zap.Logger, state string) {
	notified := make(chan error, 1)
	go func() {
		_, err := daemon.SdNotify(false, state)
		notified <- err
	}()
	var err error
	select {
	case err = <-notified:
	case <-time.After(notifyTimeout):
		err = os.ErrDeadlineExceeded
	}
	if err != nil {
		logger.Warn("cannot notify systemd", zap.Error(err))
	}
}

package service

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

// Sockets are the listeners that a process has inherited from systemd or its supervisor. It opens the missing ones
// itself.
type Sockets struct {
	Serve net.Listener
	Admin net.Listener
	Queue func() host.AcceptQueuePolicy // how to end the accept queue of Serve

	Private bool // only the supervisor can connect to Admin
}

// adminName is the name of the admin listener's socket in a socket unit (FileDescriptorName=).
const adminName = "admin"

// SystemdSockets returns the sockets that systemd listens on for this service (LISTEN_FDS), if there are any.
func SystemdSockets() (Sockets, error) { return socketsOf(activation.Files(true)) }

// socketsOf returns the listeners of files, and closes the files.
func socketsOf(files []*os.File) (inherited Sockets, err error) {
	for _, file := range files {
		listener, err := listenerOf(file)
		switch {
		case err != nil:
			return Sockets{}, err
		case file.Name() == adminName && inherited.Admin != nil:
			return Sockets{}, errors.New("systemd handed over several sockets called \"admin\": give one")
		case file.Name() == adminName:
			inherited.Admin = listener
		case inherited.Serve != nil:
			return Sockets{}, errors.New("systemd handed over several sockets to serve on: give one, and call the one for admin \"admin\"")
		default:
			inherited.Serve = listener
		}
	}
	// Systemd continues to listen: connections that arrive while the service is stopped wait for its next start.
	inherited.Queue = func() host.AcceptQueuePolicy {
		if inherited.Serve == nil {
			return host.Drain
		}
		return host.Leave
	}
	return inherited, nil
}

// Replaces returns the names of the settings that the sockets make ineffective.
func (s Sockets) Replaces(settings *configs.Settings) (names []string) {
	for name, listener := range map[string]net.Listener{
		"host": s.Serve, "port": s.Serve, "backlog": s.Serve, "admin-addr": s.Admin,
	} {
		if listener != nil && settings.Source(name).Kind != configs.FromDefault {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func listenerOf(file *os.File) (net.Listener, error) {
	defer file.Close() // the listener uses a duplicate
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

// Notify reports the state of the service to systemd, if systemd asks for it (NOTIFY_SOCKET). It does not wait for a
// stalled reader.
func Notify(logger *zap.Logger, state string) {
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

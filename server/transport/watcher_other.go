//go:build !linux

package transport

import (
	"net"

	"demo-server/server"
)

// A watcher notices no disconnects on this system. net/http does so itself, the other transports do not.
type watcher struct{}

func newWatcher(net.Listener, *server.App) (*watcher, error) { return nil, nil }

func (*watcher) add(*conn) bool { return false }

func (*watcher) run(*connTracker) {}

func (*watcher) close() {}

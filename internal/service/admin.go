package service

import (
	"context"
	"errors"
	"net"
	"time"

	"demo-server/configs"
	"demo-server/server/admin"
)

// adminGrace limits the wait for the admin listener's last replies.
const adminGrace = time.Second

// An Admin holds the admin listener and the flight recorder of a process, if settings ask for them.
type Admin struct {
	server   *admin.Server // nil for none
	address  net.Addr
	recorder *admin.Recorder // nil for none
}

// OpenAdmin starts the flight recorder and listens. If the process has inherited a listener, it uses that one.
func OpenAdmin(settings *configs.Settings, listener net.Listener, config admin.Config) (a *Admin, err error) {
	a = &Admin{}
	if listener == nil {
		if listener, err = listenAdmin(settings); err != nil {
			return nil, err
		}
	}
	if settings.FlightRecorder {
		if a.recorder, err = admin.StartRecorder(); err != nil {
			if listener != nil {
				listener.Close()
			}
			return nil, err
		}
	}
	if listener != nil {
		config.Token, config.Recorder = string(settings.AdminToken), a.recorder
		a.server, a.address = admin.New(listener, config), listener.Addr()
	}
	return a, nil
}

// RunWith serves the admin listener while do runs, and then stops it.
func (a *Admin) RunWith(do func() error) error {
	if a.server == nil {
		return do()
	}
	served := make(chan error, 1)
	go func() { served <- a.server.Serve() }()
	err := do()
	ctx, cancel := context.WithTimeout(context.Background(), adminGrace)
	defer cancel()
	a.server.Shutdown(ctx) // an error means an interrupted client, which notices that itself
	return errors.Join(err, <-served)
}

// Close stops the flight recorder.
func (a *Admin) Close() {
	if a.recorder != nil {
		a.recorder.Stop()
	}
}

package service

import (
	"context"
	"errors"
	"net"
	"time"

	"demo-server/configs"
	"demo-server/server/admin"
)

// adminGrace bounds the wait for the admin listener's last replies.
const adminGrace = time.Second

// An Admin observes a process that serves: with the admin listener and the flight recorder, if settings ask for them.
type Admin struct {
	server   *admin.Server // nil for none
	address  net.Addr
	recorder *admin.Recorder // nil for none
}

// OpenAdmin starts recording and listening. listener is the one that the process was given, or nil.
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

// RunWith serves the admin listener while do runs, and ends it last.
func (a *Admin) RunWith(do func() error) error {
	if a.server == nil {
		return do()
	}
	served := make(chan error, 1)
	go func() { served <- a.server.Serve() }()
	err := do()
	ctx, cancel := context.WithTimeout(context.Background(), adminGrace)
	defer cancel()
	a.server.Shutdown(ctx) // its error is that a client was cut off, which that client sees
	return errors.Join(err, <-served)
}

// Close stops the flight recorder.
func (a *Admin) Close() {
	if a.recorder != nil {
		a.recorder.Stop()
	}
}

package main

import (
	"context"
	"errors"
	"net"

	"demo-server/configs"
	"demo-server/server/admin"
)

// A panel is what looks on while a process serves: the admin listener and the flight recorder, where settings ask for
// them.
type panel struct {
	server   *admin.Server // nil for none
	address  net.Addr
	recorder *admin.Recorder // nil for none
}

// openPanel starts recording and listening. listener is the one that the process was given, or nil.
func openPanel(settings *configs.Settings, listener net.Listener, config admin.Config) (p *panel, err error) {
	p = &panel{}
	if listener == nil {
		if listener, err = listenAdmin(settings); err != nil {
			return nil, err
		}
	}
	if settings.FlightRecorder {
		if p.recorder, err = admin.StartRecorder(); err != nil {
			if listener != nil {
				listener.Close()
			}
			return nil, err
		}
	}
	if listener != nil {
		config.Token, config.Recorder = string(settings.AdminToken), p.recorder
		p.server, p.address = admin.New(listener, config), listener.Addr()
	}
	return p, nil
}

// beside serves the admin listener while do runs, and ends it last.
func (p *panel) beside(do func() error) error {
	if p.server == nil {
		return do()
	}
	served := make(chan error, 1)
	go func() { served <- p.server.Serve() }()
	err := do()
	ctx, cancel := context.WithTimeout(context.Background(), adminGrace)
	defer cancel()
	p.server.Shutdown(ctx) // its error is that somebody was cut off, who can see that
	return errors.Join(err, <-served)
}

func (p *panel) close() {
	if p.recorder != nil {
		p.recorder.Stop()
	}
}

// Package supervisor serves with worker processes: it starts, watches, replaces and stops them, and adds up their
// metrics. Each worker runs a service.Service.
package supervisor

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"demo-server/configs"
	"demo-server/internal/catalog"
	"demo-server/internal/obslog"
	"demo-server/internal/service"
	"demo-server/server/admin"
	"demo-server/server/fleet"
	"demo-server/server/listener"
	"demo-server/server/prefork"
)

// workerStart is how long a worker process may take to be ready, in addition to the time for its dependency.
const workerStart = 10 * time.Second

// A Config holds the parts that a supervisor is given.
type Config struct {
	Settings *configs.Settings
	Reload   func() (*configs.Settings, error) // reads the settings again
	Sockets  service.Sockets                   // that the process has inherited
	Sink     *obslog.Sink                      // where Logger writes; worker processes write to the same place
	Logger   *zap.Logger
}

// A supervisor is a process that serves with worker processes.
type supervisor struct {
	Config
	source  *listener.Source
	fleet   *fleet.Fleet
	admin   *service.Admin
	workers *prefork.Supervisor
	started bool // all workers were ready once
}

// Run runs worker processes until a signal stops them. A second signal ends them immediately. It logs errors before it
// returns them.
func Run(c Config) error {
	s := &supervisor{Config: c}
	signals := service.NewSignals(s.actions(), c.Logger)
	defer signals.Close()
	if err := s.open(); err != nil {
		c.Logger.Error("cannot start", zap.Error(err))
		return err
	}
	err := signals.Run(s.run, func(received os.Signal) {
		c.Logger.Info("stopping", zap.Stringer("signal", received), zap.Stringer("lame_duck", s.current().LameDuck),
			zap.Stringer("drain_timeout", s.current().DrainTimeout))
	}, func(received os.Signal) {
		c.Logger.Warn("second signal: exiting immediately", zap.Stringer("signal", received))
		s.workers.Kill()
	})
	if errors.Is(err, service.ErrInterrupted) {
		return err
	}
	s.admin.Close()
	return service.LogEnd(c.Logger, s.started, err)
}

// actions returns the actions, bound to s.
func (s *supervisor) actions() map[os.Signal]func() {
	of := map[os.Signal]func(){}
	for received, action := range actions {
		of[received] = func() { action(s) }
	}
	return of
}

// open creates the parts and opens both listeners, before any worker starts.
func (s *supervisor) open() (err error) {
	if err := prefork.Supported(); err != nil {
		return err
	}
	if s.source, err = service.Listen(s.Settings, s.Sockets); err != nil {
		return err
	}
	s.workers, err = prefork.New(prefork.Config{
		Source: s.source, SocketShared: s.Sockets.Serve != nil, Command: workerCommands(s.Sink.Out()),
		MaxWorkers: configs.MaxProcesses, Observe: s.observe,
	}, planFor(s.Settings))
	if err != nil {
		s.source.Close()
		return err
	}
	s.fleet = fleet.New(fleet.Config{
		Mode: func() string { return s.current().Mode }, Source: s.source, Answered: s.workers.Answered,
		LogDropped: s.Sink.Dropped, Modes: choices(catalog.Configs().Modes), Kinds: choices(catalog.Configs().Works),
	})
	endpoints := []admin.Endpoint{
		{Path: fleet.WorkersPath, About: "the worker processes; below PID/, each one's own endpoints", Handler: s.fleet.List},
		{Path: fleet.ForwardPath, Handler: s.fleet.Forward},
	}
	s.admin, err = service.OpenAdmin(s.Settings, s.Sockets.Admin, admin.Config{
		Meter: s.fleet, Endpoints: endpoints, ErrorLog: zap.NewStdLog(s.Logger), Ready: s.readiness,
	})
	if err != nil {
		s.source.Close()
	}
	return err
}

// choices returns the names of choices.
func choices(of []configs.Choice) (names []string) {
	for _, choice := range of {
		names = append(names, choice.Name)
	}
	return names
}

// planFor returns the plan for settings. A worker gets all of them except the admin token, which it does not need.
func planFor(settings *configs.Settings) prefork.Plan {
	return prefork.Plan{
		Processes: settings.Processes, WorkerConfig: workerConfig{settings, string(settings.DSN)},
		StartTimeout: workerStart + settings.DialTimeout, LameDuck: settings.LameDuck, DrainTimeout: settings.DrainTimeout,
		WorkerTimeout: settings.WorkerTimeout,
	}
}

// current returns the settings of new workers.
func (s *supervisor) current() *configs.Settings {
	return s.workers.Plan().WorkerConfig.(workerConfig).Settings
}

// readiness reports whether to send requests here, and if not, the reason: it takes all worker processes, and their
// dependencies.
func (s *supervisor) readiness(everything bool) (ready bool, reason string) {
	if ready, reason = s.workers.Ready(); !ready {
		return false, reason
	}
	return s.fleet.Ready(everything)
}

// run supervises workers until stop is done and everything has drained.
func (s *supervisor) run(stop context.Context) error {
	defer s.source.Close()
	watching, unwatch := context.WithCancel(context.Background())
	var watcher sync.WaitGroup
	watcher.Go(func() { s.fleet.Watch(watching) })
	defer watcher.Wait()
	defer unwatch()
	return s.admin.RunWith(func() error { return s.workers.Run(stop, s.logReady) })
}

func (s *supervisor) logReady() {
	s.started = true
	service.LogReady(s.Sink, s.Logger, s.current(), s.source, s.admin)
}

// observe logs the events of worker processes, and passes them on to the fleet.
func (s *supervisor) observe(e prefork.Event) {
	logger := s.Logger.With(zap.Int("worker", e.Worker.PID))
	switch e.Type {
	case prefork.Started:
		s.fleet.Put(fleet.Worker{PID: e.Worker.PID, State: string(e.Worker.State), Started: e.Worker.Started})
	case prefork.WorkerReady:
		s.fleet.Put(workerOf(e.Worker))
		logger.Info("worker is ready")
	case prefork.WorkerDraining:
		s.fleet.Put(workerOf(e.Worker))
		logger.Info("worker is draining")
	case prefork.WorkerDrained:
		s.fleet.Ask(e.Worker.PID)
	case prefork.Exited:
		s.fleet.Remove(e.Worker.PID)
		logger.Info("worker exited")
	case prefork.Crashed:
		s.fleet.Remove(e.Worker.PID)
		s.fleet.Restarted()
		logger.Error("worker died", zap.Error(e.Err), zap.Stringer("replaced_in", e.Pause))
	case prefork.DiedDraining:
		s.fleet.Remove(e.Worker.PID)
		logger.Error("worker died while draining", zap.Error(e.Err))
	case prefork.ReloadRejected:
		s.fleet.Remove(e.Worker.PID)
		logger.Error("reload rejected: a worker cannot start with the settings", zap.Error(e.Err))
	case prefork.ReloadDone:
		s.Logger.Info("all workers are ready")
		service.Notify(s.Logger, daemon.SdNotifyReady)
	}
}

func workerOf(w prefork.Worker) fleet.Worker {
	return fleet.Worker{PID: w.PID, State: string(w.State), Started: w.Started, Dial: w.Dial}
}

package main

import (
	"context"
	"maps"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"demo-server/configs"
	"demo-server/internal/obslog"
	"demo-server/server"
	"demo-server/server/admin"
	"demo-server/server/prefork"
)

// workerStart is how long a worker process may take to be ready, beside the time for what its work depends on.
const workerStart = 10 * time.Second

// A supervision is a process that serves by worker processes.
type supervision struct {
	line    *line // where settings are read again
	log     *obslog.Sink
	logger  *zap.Logger
	source  *server.Source
	fleet   *admin.Fleet
	panel   *panel
	workers *prefork.Supervisor
	started bool // all workers were ready once
}

// supervise runs worker processes until a signal has stopped them, and returns the exit code. A second one ends them at
// once.
func supervise(settings *configs.Settings, l *line, given sockets, logger *zap.Logger, log *obslog.Sink) int {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	signal.Notify(signals, slices.Collect(maps.Keys(supervisorSignals))...)
	defer signal.Stop(signals)

	s, err := newSupervision(settings, l, given, logger, log)
	if err != nil {
		logger.Error("cannot start", zap.Error(err))
		return exitFailure
	}
	ended := make(chan error, 1)
	stopping, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { ended <- s.run(stopping) }()
	var first firstSignal
	for {
		select {
		case err := <-ended:
			return s.farewell(err)
		case received := <-signals:
			if action, ok := supervisorSignals[received]; ok {
				if stopping.Err() == nil {
					action(s)
				}
				continue
			}
			if first.echoes() {
				continue
			}
			if stopping.Err() != nil {
				logger.Warn("stopped at once by a second signal", zap.Stringer("signal", received))
				s.workers.Kill()
				return exitFailure
			}
			first = firstSignal(time.Now())
			logger.Info("stopping", zap.Stringer("signal", received), zap.Stringer("lame_duck", s.inForce().LameDuck),
				zap.Stringer("drain_timeout", s.inForce().DrainTimeout))
			stop()
			notify(logger, daemon.SdNotifyStopping)
		}
	}
}

// newSupervision makes the parts, and opens both listeners, before any worker starts.
func newSupervision(settings *configs.Settings, l *line, given sockets, logger *zap.Logger, log *obslog.Sink) (
	*supervision, error) {
	if err := prefork.Supported(); err != nil {
		return nil, err
	}
	source, err := listen(settings, given)
	if err != nil {
		return nil, err
	}
	s := &supervision{line: l, log: log, logger: logger, source: source}
	s.workers, err = prefork.New(prefork.Config{
		Source: source, Shared: given.serve != nil, Command: workerCommands(log.Out()),
		Most: configs.MaxProcesses, Observe: s.observe,
	}, planOf(settings))
	if err != nil {
		source.Close()
		return nil, err
	}
	s.fleet = admin.NewFleet(admin.FleetConfig{
		Mode: func() string { return s.inForce().Mode }, Source: source, Answered: s.workers.Answered,
		LogDropped: log.Dropped,
	})
	s.panel, err = openPanel(settings, given.admin, admin.Config{
		Fleet: s.fleet, ErrorLog: zap.NewStdLog(logger), Ready: s.readiness,
	})
	if err != nil {
		source.Close()
		return nil, err
	}
	return s, nil
}

// planOf makes the settings a plan. A worker gets them all but the admin token, which it does not need.
func planOf(settings *configs.Settings) prefork.Plan {
	return prefork.Plan{
		Processes: settings.Processes, Brief: workerBrief{settings, string(settings.DSN)},
		StartTimeout: workerStart + settings.DialTimeout, LameDuck: settings.LameDuck, DrainTimeout: settings.DrainTimeout,
		WorkerTimeout: settings.WorkerTimeout,
	}
}

// inForce are the settings that workers are started with.
func (s *supervision) inForce() *configs.Settings {
	return s.workers.Plan().Brief.(workerBrief).Settings
}

// readiness says whether to send requests here: as many worker processes as wanted serve, and what the work of each
// depends on answers.
func (s *supervision) readiness(everything bool) (ready bool, reason string) {
	if ready, reason = s.workers.Ready(); !ready {
		return false, reason
	}
	return s.fleet.Ready(everything)
}

// run supervises until stop is done and everything has drained.
func (s *supervision) run(stop context.Context) error {
	defer s.source.Close()
	watching, unwatch := context.WithCancel(context.Background())
	var watcher sync.WaitGroup
	watcher.Go(func() { s.fleet.Watch(watching) })
	defer watcher.Wait()
	defer unwatch()
	return s.panel.beside(func() error { return s.workers.Run(stop, s.announce) })
}

func (s *supervision) announce() {
	s.started = true
	settings := s.inForce()
	announce(s.log, s.logger, settings, s.source, s.panel)
	notify(s.logger, daemon.SdNotifyReady)
}

// farewell logs how the service ended, and returns the exit code.
func (s *supervision) farewell(err error) int {
	s.panel.close()
	return logEnd(s.logger, s.started, err)
}

// observe logs what happens to worker processes, and tells it to those who add their figures up.
func (s *supervision) observe(e prefork.Event) {
	logger := s.logger.With(zap.Int("worker", e.Worker.PID))
	switch e.What {
	case prefork.Started:
		s.fleet.Put(admin.Worker{PID: e.Worker.PID, State: string(e.Worker.State), Started: e.Worker.Started})
	case prefork.Served:
		s.fleet.Put(workerOf(e.Worker))
		logger.Info("worker process is ready")
	case prefork.Retired:
		s.fleet.Put(workerOf(e.Worker))
		logger.Info("worker process retires")
	case prefork.Drained:
		s.fleet.Ask(e.Worker.PID)
	case prefork.Ended:
		s.fleet.Remove(e.Worker.PID)
		logger.Info("worker process has ended")
	case prefork.Died:
		s.fleet.Remove(e.Worker.PID)
		s.fleet.Restarted()
		logger.Error("worker process died", zap.Error(e.Err), zap.Stringer("replaced_in", e.Pause))
	case prefork.Lost:
		s.fleet.Remove(e.Worker.PID)
		logger.Error("worker process died before it had drained", zap.Error(e.Err))
	case prefork.Rejected:
		s.fleet.Remove(e.Worker.PID)
		logger.Error("the settings are not changed: a worker process cannot start with them", zap.Error(e.Err))
	case prefork.Settled:
		s.logger.Info("all worker processes are ready")
		notify(s.logger, daemon.SdNotifyReady)
	}
}

func workerOf(w prefork.Worker) admin.Worker {
	return admin.Worker{PID: w.PID, State: string(w.State), Started: w.Started, Dial: w.Dial}
}

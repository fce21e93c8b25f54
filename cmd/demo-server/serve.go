package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"demo-server/configs"
	"demo-server/internal/catalog"
	"demo-server/internal/obslog"
	"demo-server/modes"
	"demo-server/server"
	"demo-server/server/admin"
	"demo-server/server/host"
)

// adminGrace bounds the wait for the admin listener's last replies.
const adminGrace = time.Second

// echo is how soon after a signal that stops us another one is the same: timeout sends one to us and at once another one
// to the group that we are in. Nobody who means a second one is that fast.
const echo = 20 * time.Millisecond

// firstSignal is when the signal came that stops us.
type firstSignal time.Time

// echoes reports whether a signal that comes now is the first one again.
func (f firstSignal) echoes() bool { return time.Since(time.Time(f)) < echo }

// serve runs the server until a signal has stopped it, and returns the exit code. A second signal ends it at once.
func serve(settings *configs.Settings, given sockets, logger *zap.Logger, log *obslog.Sink) int {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, stopSignals()...)
	defer signal.Stop(signals)

	service, err := newService(settings, given, logger, log)
	if err != nil {
		logger.Error("cannot start", zap.Error(err))
		return exitFailure
	}
	service.ready = service.announce
	ended := make(chan error, 1)
	stopping, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { ended <- service.run(stopping) }()
	var first firstSignal
	for {
		select {
		case err := <-ended:
			return service.farewell(err)
		case s := <-signals:
			if first.echoes() || stopping.Err() != nil && !insists(s) {
				continue
			}
			if stopping.Err() != nil {
				logger.Warn("stopped at once by a second signal", zap.Stringer("signal", s),
					zap.Int("in_flight", service.app.InFlight()), zap.Int("queued", service.app.Queued()))
				return exitFailure
			}
			first = firstSignal(time.Now())
			logger.Info("stopping", zap.Stringer("signal", s), zap.Stringer("lame_duck", settings.LameDuck),
				zap.Stringer("drain_timeout", settings.DrainTimeout),
				zap.Int("in_flight", service.app.InFlight()), zap.Int("queued", service.app.Queued()))
			stop()
			notify(logger, daemon.SdNotifyStopping)
		}
	}
}

// A service is all that serves: the parts, wired to each other and to the settings.
type service struct {
	settings *configs.Settings
	log      *obslog.Sink
	logger   *zap.Logger
	mode     modes.Instance
	source   *server.Source
	app      *server.App
	works    *works
	needs    *dependency
	host     *host.Host
	panel    *panel
	flush    func()
	started  bool   // requests were answered
	ready    func() // called once they are
	drained  func() // called when nothing is left to serve; nil for nobody who wants to know
}

// newService makes the parts in the order of design: mode, work and app, then both listeners, so that an address that
// is taken ends the start before anything serves.
func newService(settings *configs.Settings, given sockets, logger *zap.Logger, log *obslog.Sink) (*service, error) {
	s := &service{settings: settings, log: log, logger: logger, mode: catalog.Mode(settings)}
	if err := s.mode.Supported(); err != nil {
		return nil, fmt.Errorf("mode %s: %w", s.mode.Name, err)
	}
	var err error
	if s.works, err = openWorks(settings); err != nil {
		return nil, err
	}
	if err := s.open(given); err != nil {
		return nil, errors.Join(err, s.works.close())
	}
	return s, nil
}

// open makes what comes after the work.
func (s *service) open(given sockets) error {
	settings, logger := s.settings, s.logger
	requests, flushRequests := s.log.Buffered()
	observers, flushObservers := obslog.Observers(settings.AccessLog, logger, requests)
	s.flush = func() {
		flushObservers()
		flushRequests()
	}
	metrics := admin.NewMetrics()
	metrics.WatchLog(s.log.Dropped)
	faults := faultsOf(settings)
	if settings.Fault != "" {
		logger.Info("not every request gets the usual", zap.String("fault", settings.Fault), zap.Uint64("seed", faults.Seed))
	}
	s.needs = newDependency(s.works.usual, settings.DialTimeout, logger)
	s.app = newApp(settings, s.mode, s.works, faults, append(observers, metrics.Observer(s.mode.Name)))

	var err error
	if s.source, err = listen(settings, given); err != nil {
		return err
	}
	metrics.Watch(s.app, s.source)
	s.host = host.New(host.Config{
		Source: s.source, App: s.app, Mode: s.mode.Name, Serve: s.mode.Serve, LameDuck: settings.LameDuck, DrainTimeout: settings.DrainTimeout,
		Queue: given.queue,
	})
	s.panel, err = openPanel(settings, given.admin, admin.Config{
		Metrics: metrics, ErrorLog: zap.NewStdLog(logger), Ready: s.readiness, Private: given.private,
	})
	if err != nil {
		s.source.Close()
	}
	return err
}

// readiness says whether to send requests here, and if not, in one line why. It names addresses only if everything is asked
// for.
func (s *service) readiness(everything bool) (ready bool, reason string) {
	return readiness(s.host.State(), s.needs.err(), everything)
}

// readiness is what follows from the state of the service and what its work depends on, which fails with an error.
func readiness(state host.State, failing error, everything bool) (ready bool, reason string) {
	if failing != nil && !everything {
		failing = errDependency
	}
	switch {
	case state == host.Ready && failing != nil:
		return false, failing.Error()
	case state == host.Starting && failing != nil:
		return false, fmt.Sprintf("%s: %s", state, failing)
	}
	return state == host.Ready, string(state)
}

func newApp(
	settings *configs.Settings, mode modes.Instance, works *works, faults server.Faults, observers []server.Observer,
) *server.App {
	config := server.Config{
		Mode:      mode.Name,
		Work:      works.usual,
		Delay:     settings.Delay,
		Kinds:     works.asked,
		Faults:    faults,
		Body:      []byte(settings.Body),
		AnyPath:   settings.AnyPath,
		CORS:      settings.CORS,
		Finish:    settings.OnLeave == configs.OnLeaveFinish,
		HalfClose: settings.HalfClose == configs.HalfCloseAnswer,
		Observers: observers,
		Describe:  settings.AccessLog != "off",
		Limits: server.Limits{
			MaxConnections:     catalog.MaxConnections(settings),
			MaxHeaderBytes:     settings.MaxHeaderBytes,
			MaxBodyBytes:       settings.MaxBodyBytes,
			ReadHeaderTimeout:  settings.ReadHeaderTimeout,
			ReadTimeout:        settings.ReadTimeout,
			ReadRequestTimeout: settings.ReadRequestTimeout,
			WriteTimeout:       settings.WriteTimeout,
			IdleTimeout:        settings.IdleTimeout,
		},
	}
	if queue, ok := mode.Limit.Queue(settings.Queue, settings.QueueTimeout); ok {
		config.Admission = &queue
	}
	if queue, ok := mode.Offload.Queue(settings.Queue, settings.QueueTimeout); ok {
		config.Helpers = &queue
	}
	return server.New(config)
}

// faultsOf are what may become of requests other than the usual.
func faultsOf(settings *configs.Settings) server.Faults {
	spec, err := catalog.Fault(settings)
	if err != nil {
		panic(err) // settings are checked with the same function
	}
	seed := settings.Seed
	if seed == 0 {
		seed = 1 + rand.IntN(configs.MaxSeed)
	}
	return server.Faults{Overrides: settings.Overrides, Lenient: settings.AnyPath, Setting: spec, Caps: catalog.Caps(settings), Seed: uint64(seed)}
}

// run serves until stop is done and everything has drained, and closes the work then.
func (s *service) run(stop context.Context) error {
	return s.panel.beside(func() error {
		err := s.serve(stop)
		err = errors.Join(err, s.works.close())
		if err == nil && s.drained != nil {
			s.drained()
		}
		return err
	})
}

// serve serves once what the work depends on answers.
func (s *service) serve(stop context.Context) error {
	if err := s.needs.await(stop); err != nil || stop.Err() != nil {
		s.source.Close()
		s.app.Close()
		return err
	}
	return s.needs.beside(func() error {
		return s.host.Run(stop, func() {
			s.started = true
			s.ready()
		})
	})
}

// announce says that requests are answered now, once.
func (s *service) announce() {
	announce(s.log, s.logger, s.settings, s.source, s.panel)
	notify(s.logger, daemon.SdNotifyReady)
}

// announce says that requests are answered on source now, and how to try that.
func announce(log *obslog.Sink, logger *zap.Logger, settings *configs.Settings, source *server.Source, p *panel) {
	admin := ""
	if p.server != nil {
		admin = "http://" + reachable(p.address) + "/"
	}
	greeting := greetingOf(settings, "http://"+reachable(source.Addr())+"/", admin)
	if log.Greets() {
		log.Write([]byte(greeting.banner()))
		return
	}
	logger.Info("ready", greeting.fields(source.Addr().String())...)
}

// farewell flushes what is buffered, logs how the service ended, and returns the exit code.
func (s *service) farewell(err error) int {
	s.panel.close()
	s.flush()
	return logEnd(s.logger, s.started, err)
}

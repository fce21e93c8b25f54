// Package service runs one process that serves: it wires the parts to each other and to the settings, runs them, and
// stops them in order.
//
// It must not know flags, nor how requests are served.
package service

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"demo-server/configs"
	"demo-server/internal/catalog"
	"demo-server/internal/obslog"
	"demo-server/modes"
	"demo-server/server"
	"demo-server/server/admin"
	"demo-server/server/host"
	"demo-server/server/listener"
	"demo-server/server/metrics"
)

// A Config holds the parts that a Service is given.
type Config struct {
	Settings *configs.Settings
	Sockets  Sockets      // that the process has inherited
	Sink     *obslog.Sink // where Logger writes
	Logger   *zap.Logger

	Ready   func() // called once requests are answered; nil to report that in the log and to systemd
	Drained func() // called when all requests and connections have ended; may be nil
}

// Serve runs a service until a signal stops it. It logs errors before it returns them.
func Serve(c Config) error {
	signals := NewSignals(nil, c.Logger)
	defer signals.Close()
	service, err := New(c)
	if err != nil {
		c.Logger.Error("cannot start", zap.Error(err))
		return err
	}
	err = signals.Run(service.Run, func(s os.Signal) {
		c.Logger.Info("stopping", zap.Stringer("signal", s), zap.Stringer("lame_duck", c.Settings.LameDuck),
			zap.Stringer("drain_timeout", c.Settings.DrainTimeout),
			zap.Int("in_flight", service.app.InFlight()), zap.Int("queued", service.app.Queued()))
	}, func(s os.Signal) {
		c.Logger.Warn("second signal: exiting immediately", zap.Stringer("signal", s),
			zap.Int("in_flight", service.app.InFlight()), zap.Int("queued", service.app.Queued()))
	})
	if errors.Is(err, ErrInterrupted) {
		return err
	}
	service.Close()
	return LogEnd(c.Logger, service.started, err)
}

// LogEnd logs how a process that served has ended, and returns err. started is true if it answered requests.
func LogEnd(logger *zap.Logger, started bool, err error) error {
	switch {
	case err == nil:
		logger.Info("stopped")
	case started:
		logger.Error("failed", zap.Error(err))
	default:
		logger.Error("cannot start", zap.Error(err))
	}
	return err
}

// Warn logs warnings about settings that may surprise.
func Warn(logger *zap.Logger, settings *configs.Settings) {
	if ignored := settings.Ignored(); len(ignored) > 0 {
		logger.Info("ignoring Kubernetes service variables", zap.Strings("variables", ignored))
	}
	for _, warning := range catalog.Configs().Warnings(settings) {
		logger.Warn(warning)
	}
}

// A Service is one process that serves: its parts, wired to each other and to the settings.
type Service struct {
	config     Config
	settings   *configs.Settings
	logger     *zap.Logger
	mode       modes.Instance
	source     *listener.Source
	app        *server.App
	works      *works
	dependency *dependency
	host       *host.Host
	admin      *Admin
	flush      func()
	started    bool // requests were answered
}

// New creates the parts: mode, work and app, then both listeners, because an address that is taken must end the start
// before anything serves. The caller calls Run, and then Close.
func New(c Config) (*Service, error) {
	s := &Service{config: c, settings: c.Settings, logger: c.Logger, mode: catalog.Mode(c.Settings)}
	if err := s.mode.Supported(); err != nil {
		return nil, fmt.Errorf("mode %s: %w", s.mode.Name, err)
	}
	var err error
	if s.works, err = openWorks(s.settings); err != nil {
		return nil, err
	}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.works.close())
	}
	return s, nil
}

// open creates the parts that follow the work.
func (s *Service) open() error {
	settings, logger, inherited := s.settings, s.logger, s.config.Sockets
	requests, flushRequests := s.config.Sink.Buffered()
	observers, flushObservers := obslog.Observers(settings.AccessLog, logger, requests)
	s.flush = func() {
		flushObservers()
		flushRequests()
	}
	counts := metrics.New()
	counts.WatchLog(s.config.Sink.Dropped)
	faults := faultsOf(settings)
	if settings.Fault != "" {
		logger.Info("fault injection is on", zap.String("fault", settings.Fault), zap.Uint64("seed", faults.Seed))
	}
	s.dependency = newDependency(s.works.defaultWork, settings.DialTimeout, logger)
	s.app = newApp(settings, s.mode, s.works, faults, append(observers, counts.Observer(s.mode.Name)))

	var err error
	if s.source, err = Listen(settings, inherited); err != nil {
		return err
	}
	counts.Watch(s.app, s.source)
	s.host = host.New(host.Config{
		Source: s.source, App: s.app, Mode: s.mode.Name, Serve: s.mode.Serve, LameDuck: settings.LameDuck, DrainTimeout: settings.DrainTimeout,
		AcceptQueue: inherited.Queue,
	})
	var endpoints []admin.Endpoint
	if inherited.Private { // the supervisor is the peer
		snapshot := admin.JSON(func() any { return counts.Snapshot() })
		endpoints = []admin.Endpoint{{Path: metrics.SnapshotPath, Handler: snapshot}}
	}
	s.admin, err = OpenAdmin(settings, inherited.Admin, admin.Config{
		Meter: counts, Endpoints: endpoints, ErrorLog: zap.NewStdLog(logger), Ready: s.readiness, Private: inherited.Private,
	})
	if err != nil {
		s.source.Close()
	}
	return err
}

// readiness reports whether to send requests here, and if not, the reason in one line. It names addresses only if
// everything is true.
func (s *Service) readiness(everything bool) (ready bool, reason string) {
	return readiness(s.host.State(), s.dependency.err(), everything)
}

// readiness derives the readiness from the state of the service and from the error of its dependency.
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
		Mode:               mode.Name,
		Work:               works.defaultWork,
		Delay:              settings.Delay,
		Requestable:        works.requestable,
		Faults:             faults,
		Body:               []byte(settings.Body),
		AnyPath:            settings.AnyPath,
		CORS:               settings.CORS,
		FinishOnDisconnect: settings.OnDisconnect == configs.OnDisconnectFinish,
		AnswerHalfClosed:   settings.HalfClose == configs.HalfCloseAnswer,
		Observers:          observers,
		Describe:           settings.AccessLog != "off",
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

// faultsOf returns the faults that settings ask for.
func faultsOf(settings *configs.Settings) server.Faults {
	spec, err := catalog.Fault(settings)
	if err != nil {
		panic(err) // cannot happen: settings are checked with the same function
	}
	seed := settings.Seed
	if seed == 0 {
		seed = 1 + rand.IntN(configs.MaxSeed)
	}
	return server.Faults{Overrides: settings.Overrides, Lenient: settings.AnyPath, Setting: spec, Caps: catalog.Caps(settings), Seed: uint64(seed)}
}

// Run serves until stop is done and everything has drained. Then it closes the work.
func (s *Service) Run(stop context.Context) error {
	return s.admin.RunWith(func() error {
		err := s.serve(stop)
		err = errors.Join(err, s.works.close())
		if err == nil && s.config.Drained != nil {
			s.config.Drained()
		}
		return err
	})
}

// serve waits for the dependency, and then serves.
func (s *Service) serve(stop context.Context) error {
	if err := s.dependency.waitReady(stop); err != nil || stop.Err() != nil {
		s.source.Close()
		s.app.Close()
		return err
	}
	return s.dependency.watchDuring(func() error {
		return s.host.Run(stop, func() {
			s.started = true
			if s.config.Ready != nil {
				s.config.Ready()
				return
			}
			LogReady(s.config.Sink, s.logger, s.settings, s.source, s.admin)
		})
	})
}

// LogReady reports in the log and to systemd that the server is ready, with a command to try it.
func LogReady(sink *obslog.Sink, logger *zap.Logger, settings *configs.Settings, source *listener.Source, a *Admin) {
	url := ""
	if a.server != nil {
		url = "http://" + Reachable(a.address) + "/"
	}
	g := greetingOf(settings, "http://"+Reachable(source.Addr())+"/", url)
	if sink.Greets() {
		sink.Write([]byte(g.banner()))
	} else {
		logger.Info("ready", g.fields(source.Addr().String())...)
	}
	Notify(logger, daemon.SdNotifyReady)
}

// Close flushes buffered log lines. Call it after Run.
func (s *Service) Close() {
	s.admin.Close()
	s.flush()
}

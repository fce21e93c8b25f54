package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"demo-server/configs"
	"demo-server/modes"
	"demo-server/server"
	"demo-server/server/admin"
	"demo-server/server/admission"
	"demo-server/server/host"
	"demo-server/work"
)

// adminGrace bounds the wait for the admin listener's last replies.
const adminGrace = time.Second

// serve runs the server until a signal has stopped it, and returns the exit code. A second signal ends it at once.
func serve(settings *configs.Settings, given sockets, logger *zap.Logger, errOut io.Writer) int {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	service, err := newService(settings, given, logger, errOut)
	if err != nil {
		logger.Error("cannot start", zap.Error(err))
		return exitFailure
	}
	service.ready = service.announce
	ended := make(chan error, 1)
	stopping, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { ended <- service.run(stopping) }()
	for {
		select {
		case err := <-ended:
			return service.farewell(err)
		case s := <-signals:
			if stopping.Err() != nil {
				logger.Warn("stopped at once by a second signal", zap.Stringer("signal", s),
					zap.Int("in_flight", service.app.InFlight()), zap.Int("queued", service.app.Queued()))
				return exitFailure
			}
			logger.Info("stopping", zap.Stringer("signal", s), zap.Stringer("lame_duck", settings.LameDuck),
				zap.Stringer("drain_timeout", settings.DrainTimeout),
				zap.Int("in_flight", service.app.InFlight()), zap.Int("queued", service.app.Queued()))
			notify(logger, daemon.SdNotifyStopping)
			stop()
		}
	}
}

// A service is all that serves: the parts, wired to each other and to the settings.
type service struct {
	settings *configs.Settings
	logger   *zap.Logger
	mode     modes.Mode
	source   *server.Source
	app      *server.App
	host     *host.Host
	panel    *panel
	flush    func()
	ready    func() // called once requests are answered
	drained  func() // called when nothing is left to serve; nil for nobody who wants to know
}

// newService makes the parts in the order of design: mode, work and app, then both listeners, so that an address that
// is taken ends the start before anything serves.
func newService(settings *configs.Settings, given sockets, logger *zap.Logger, errOut io.Writer) (*service, error) {
	s := &service{settings: settings, logger: logger, mode: modeOf(settings)}
	if err := s.mode.Supported(); err != nil {
		return nil, fmt.Errorf("mode %s: %w", s.mode.Name, err)
	}
	requests, flushRequests := newBufferedLogger(settings.LogLevel, settings.LogFormat, errOut, onTerminal(errOut),
		logBuffer(settings))
	observers, flushObservers := newLogObservers(settings.AccessLog, logger, requests)
	s.flush = func() {
		flushObservers()
		flushRequests()
	}
	metrics := admin.NewMetrics()
	s.app = newApp(settings, s.mode, append(observers, metrics.Observer(s.mode.Name)))

	var err error
	if s.source, err = listen(settings, given); err != nil {
		return nil, err
	}
	metrics.Watch(s.app, s.source)
	s.host = host.New(host.Config{
		Source: s.source, App: s.app, Mode: s.mode, LameDuck: settings.LameDuck, DrainTimeout: settings.DrainTimeout,
		Queue: given.queue,
	})
	s.panel, err = openPanel(settings, given.admin, admin.Config{
		Metrics: metrics, ErrorLog: zap.NewStdLog(logger), Ready: func() (bool, string) {
			state := s.host.State()
			return state == host.Ready, string(state)
		},
	})
	if err != nil {
		s.source.Close()
		return nil, err
	}
	return s, nil
}

func modeOf(settings *configs.Settings) modes.Mode {
	for _, mode := range modes.All(modeOptions(settings)) {
		if mode.Name == settings.Mode {
			return mode
		}
	}
	panic("settings hold an unknown mode: " + settings.Mode) // Load knows the same list
}

func workOf(*configs.Settings) work.Work { return work.NewSleep() }

// modeOptions are the settings that the modes themselves need.
func modeOptions(settings *configs.Settings) modes.Options {
	return modes.Options{
		Workers: settings.Workers, MaxThreads: settings.MaxThreads,
		Loops: loops(settings), LoopHelpers: settings.LoopHelpers, Unpatched: !settings.Patched, Holds: workOf(settings).Holds(),
	}
}

// loops is how many event loops each process has: without a setting, all of them have one for each core.
func loops(settings *configs.Settings) int {
	if settings.Loops > 0 {
		return settings.Loops
	}
	return max(1, runtime.GOMAXPROCS(0)/processes(settings))
}

func newApp(settings *configs.Settings, mode modes.Mode, observers []server.Observer) *server.App {
	config := server.Config{
		Mode:      mode.Name,
		Work:      workOf(settings),
		Delay:     settings.Delay,
		Body:      []byte(settings.Body),
		Finish:    settings.OnLeave == configs.OnLeaveFinish,
		Observers: observers,
		Limits: server.Limits{
			MaxConnections:    maxConnections(settings),
			MaxHeaderBytes:    settings.MaxHeaderBytes,
			MaxBodyBytes:      settings.MaxBodyBytes,
			ReadHeaderTimeout: settings.ReadHeaderTimeout,
			ReadTimeout:       settings.ReadTimeout,
			WriteTimeout:      settings.WriteTimeout,
			IdleTimeout:       settings.IdleTimeout,
		},
	}
	queue := admission.Limits{Places: mode.Places, Length: settings.Queue, Timeout: settings.QueueTimeout}
	switch {
	case mode.Helpers > 0:
		queue.Places = mode.Helpers
		config.Helpers = &queue
	case mode.Excess == modes.Queued:
		config.Admission = &queue
	case mode.Excess == modes.Refused:
		config.Admission = &admission.Limits{Places: mode.Places}
	}
	return server.New(config)
}

// run serves until stop is done and everything has drained.
func (s *service) run(stop context.Context) error {
	return s.panel.beside(func() error {
		err := s.host.Run(stop, s.ready)
		if err == nil && s.drained != nil {
			s.drained()
		}
		return err
	})
}

// announce says that requests are answered now, once.
func (s *service) announce() {
	announce(s.logger, s.settings, s.mode, s.source, s.panel)
	notify(s.logger, daemon.SdNotifyReady)
}

// announce logs that requests are answered on source now, and how to try that.
func announce(logger *zap.Logger, settings *configs.Settings, mode modes.Mode, source *server.Source, p *panel) {
	fields := []zap.Field{
		zap.String("mode", mode.Name), zap.Stringer("address", source.Addr()), zap.String("bound", bound(mode, settings)),
		zap.Int("max_connections", maxConnections(settings)),
		zap.String("try", "ab -c 100 -n 500 http://"+reachable(source.Addr())+"/"),
	}
	if settings.Processes > 0 {
		fields = append(fields, zap.Int("processes", settings.Processes))
	}
	if p.server != nil {
		fields = append(fields, zap.String("admin", "http://"+reachable(p.address)+"/"))
	}
	logger.Info("ready", fields...)
}

// farewell flushes what is buffered, logs how the service ended, and returns the exit code.
func (s *service) farewell(err error) int {
	s.panel.close()
	s.flush()
	if err != nil {
		s.logger.Error("failed", zap.Error(err))
		return exitFailure
	}
	s.logger.Info("stopped")
	return exitOK
}

// bound says in words what bounds the mode, with the rate that follows from it.
func bound(mode modes.Mode, settings *configs.Settings) string {
	switch {
	case mode.Places == 0:
		return mode.Name + ": no bound of its own"
	case settings.Delay == 0:
		return mode.Name + ": " + share(mode, settings)
	}
	rate := plainRate(float64(places(mode, settings)) / settings.Delay.Seconds())
	return fmt.Sprintf("%s: %s = %s requests/s", mode.Name, share(mode, settings), rate)
}

// places is how many requests all processes work on at a time, 0 for no bound of their own.
func places(mode modes.Mode, settings *configs.Settings) int {
	return processes(settings) * mode.Places
}

// processes is how many serve, each with places and a queue of its own.
func processes(settings *configs.Settings) int { return max(1, settings.Processes) }

// share is what is worked on in a delay, such as "50 workers / 2s", or "2 × 50 workers / 2s" in two processes, and empty
// for no bound of its own.
func share(mode modes.Mode, settings *configs.Settings) string {
	noun := map[string]string{
		modes.BoundWorkers: "worker", modes.BoundThreads: "thread", modes.BoundLoops: "loop", modes.BoundHelpers: "helper",
	}[mode.Bound]
	words := fmt.Sprintf("%d %s", mode.Places, plural(noun, mode.Places))
	switch {
	case mode.Places == 0:
		return ""
	case mode.Bound == modes.BoundOne:
		words = "1 at a time"
	}
	if settings.Processes > 1 {
		words = fmt.Sprintf("%d × %s", settings.Processes, words)
	}
	if settings.Delay == 0 {
		return words
	}
	return fmt.Sprintf("%s / %s", words, settings.Delay)
}

func plural(noun string, n int) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// plainRate has four digits, or as many as the whole number has: never an exponent.
func plainRate(rate float64) string {
	if rate >= 1000 {
		return strconv.FormatFloat(rate, 'f', 0, 64)
	}
	return strconv.FormatFloat(rate, 'g', 4, 64)
}

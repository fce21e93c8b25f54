package cli

import (
	"go.uber.org/zap"

	"demo-server/configs"
	"demo-server/internal/obslog"
	"demo-server/internal/service"
	"demo-server/internal/service/supervisor"
)

func newServe() commandSpec {
	return commandSpec{use: "serve", short: "serve until it is stopped; the default command", settings: true, run: runServe}
}

// runServe serves, in this process or in several.
func runServe(s *streams, settings *configs.Settings, l *commandLine) error {
	obslog.IgnoreBrokenPipe()
	service.ServeInBackground()
	sink := obslog.New(settings.LogLevel, settings.LogFormat, s.errOut, obslog.IsTerminal(s.errOut))
	defer sink.Close()
	logger := sink.Logger()
	defer obslog.RedirectStdLog(logger)()
	service.Warn(logger, settings)
	sockets, err := service.SystemdSockets()
	if err != nil {
		logger.Error("cannot start", zap.Error(err))
		return exitError(exitFailure)
	}
	if names := sockets.Replaces(settings); len(names) > 0 {
		logger.Warn("settings ignored: systemd passed the sockets", zap.Strings("settings", names))
	}
	if settings.Processes > 0 {
		err = supervisor.Run(supervisor.Config{
			Settings: settings, Reload: func() (*configs.Settings, error) { return l.Settings() }, Sockets: sockets, Sink: sink,
			Logger: logger,
		})
	} else {
		err = service.Serve(service.Config{Settings: settings, Sockets: sockets, Sink: sink, Logger: logger})
	}
	if err != nil {
		return exitError(exitFailure)
	}
	return nil
}

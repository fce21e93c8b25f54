//go:build unix

package main

import (
	"os"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"demo-server/configs"
)

// supervisorSignals are what a supervisor does at a signal, beside stopping: gunicorn's and unicorn's.
var supervisorSignals = map[os.Signal]func(*supervision){
	syscall.SIGHUP:  (*supervision).reload,
	syscall.SIGTTIN: func(s *supervision) { s.resize(+1) },
	syscall.SIGTTOU: func(s *supervision) { s.resize(-1) },
}

// reload reads all settings again. Where nothing is wrong with them, workers are exchanged for such as have them.
func (s *supervision) reload() {
	s.logger.Info("reading the settings again")
	notify(s.logger, daemon.SdNotifyReloading+"\n"+daemon.SdNotifyMonotonicUsec())
	settings, err := s.line.loadSettings()
	if err != nil {
		s.logger.Error("the settings are not changed", zap.Error(err))
		notify(s.logger, daemon.SdNotifyReady)
		return
	}
	warn(s.logger, settings)
	inForce := s.inForce()
	kept := settings.KeepLasting(inForce)
	if settings.Processes == 0 {
		settings.Processes = inForce.Processes
		kept = append(kept, "processes")
	}
	if len(kept) > 0 {
		s.logger.Warn("only a restart changes these settings", zap.Strings("settings", kept))
	}
	s.workers.Apply(planOf(settings))
}

// resize changes the number of worker processes.
func (s *supervision) resize(by int) {
	n, changed := s.workers.Add(by)
	if !changed {
		s.logger.Warn("the number of worker processes is not changed", zap.Int("processes", n),
			zap.Int("least", 1), zap.Int("most", configs.MaxProcesses))
		return
	}
	s.logger.Info("changing the number of worker processes", zap.Int("processes", n))
}

//go:build unix

package supervisor

import (
	"os"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"demo-server/configs"
	"demo-server/internal/service"
)

// actions are the reactions to signals that do not stop the supervisor, as in gunicorn and unicorn.
var actions = map[os.Signal]func(*supervisor){
	syscall.SIGHUP:  (*supervisor).reload,
	syscall.SIGTTIN: func(s *supervisor) { s.resize(+1) },
	syscall.SIGTTOU: func(s *supervisor) { s.resize(-1) },
}

// reload reads all settings again. If they are valid, it replaces the workers with ones that use them.
func (s *supervisor) reload() {
	s.Logger.Info("reloading settings")
	service.Notify(s.Logger, daemon.SdNotifyReloading+"\n"+daemon.SdNotifyMonotonicUsec())
	settings, err := s.Reload()
	if err != nil {
		s.Logger.Error("reload rejected", zap.Error(err))
		service.Notify(s.Logger, daemon.SdNotifyReady)
		return
	}
	service.Warn(s.Logger, settings)
	current := s.current()
	kept := settings.CarryOver(current)
	if settings.Processes == 0 {
		settings.Processes = current.Processes
		kept = append(kept, "processes")
	}
	if len(kept) > 0 {
		s.Logger.Warn("these settings need a restart", zap.Strings("settings", kept))
	}
	s.workers.Apply(planFor(settings))
}

// resize changes the number of worker processes.
func (s *supervisor) resize(by int) {
	n, changed := s.workers.Add(by)
	if !changed {
		s.Logger.Warn("worker count is at its limit", zap.Int("processes", n),
			zap.Int("min", 1), zap.Int("max", configs.MaxProcesses))
		return
	}
	s.Logger.Info("changing the worker count", zap.Int("processes", n))
}

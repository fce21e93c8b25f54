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
	s.Logger.Info("reading the settings again")
	service.Notify(s.Logger, daemon.SdNotifyReloading+"\n"+daemon.SdNotifyMonotonicUsec())
	settings, err := s.Reload()
	if err != nil {
		s.Logger.Error("the settings are not changed", zap.Error(err))
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
		s.Logger.Warn("only a restart changes these settings", zap.Strings("settings", kept))
	}
	s.workers.Apply(planFor(settings))
}

// resize changes the number of worker processes.
func (s *supervisor) resize(by int) {
	n, changed := s.workers.Add(by)
	if !changed {
		s.Logger.Warn("the number of worker processes is not changed", zap.Int("processes", n),
			zap.Int("least", 1), zap.Int("most", configs.MaxProcesses))
		return
	}
	s.Logger.Info("changing the number of worker processes", zap.Int("processes", n))
}

package supervisor

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"go.uber.org/zap"

	"demo-server/configs"
	"demo-server/internal/obslog"
	"demo-server/internal/service"
	"demo-server/server/host"
	"demo-server/server/prefork"
)

// WorkerArgument begins the command line of a worker process, and its number, from 0 in the order of their start, ends it.
// It is no command of the grammar, because it is not for people.
const WorkerArgument = "worker"

// workerCommands returns what makes the commands of worker processes, one after the other: this very binary, even where
// a newer one lies in its place. Their settings come from the supervisor, and from nowhere else.
func workerCommands(errOut io.Writer) func() *exec.Cmd {
	number := -1
	return func() *exec.Cmd {
		number++
		return &exec.Cmd{
			Path: "/proc/self/exe", Args: []string{os.Args[0], WorkerArgument, strconv.Itoa(number)},
			Env: Environ(os.Environ()), Stderr: errOut,
		}
	}
}

// Environ returns environ without the variables that are for the supervisor alone: settings, with the token, and systemd's variables.
func Environ(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(variable string) bool {
		return slices.ContainsFunc([]string{"DEMO_SERVER_", "LISTEN_", "NOTIFY_SOCKET=", "WATCHDOG_"}, func(prefix string) bool {
			return strings.HasPrefix(variable, prefix)
		})
	})
}

// A NotStartedError is what RunWorker returns in a process that no supervisor started.
type NotStartedError struct{ err error }

func (e *NotStartedError) Error() string { return e.err.Error() }

// RunWorker is the life of a worker process with the arguments args. It takes orders from its supervisor alone: a signal to
// the whole process group (Ctrl-C) or control group (systemd) reaches it as well, and must not stop it before the accept
// queue is empty. Its supervisor logs the error, unless that is a NotStartedError.
func RunWorker(args []string, errOut io.Writer) error {
	for received := range actions {
		signal.Ignore(received)
	}
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	obslog.IgnoreBrokenPipe()
	inherited, err := prefork.Inherit()
	if err != nil {
		return &NotStartedError{err}
	}
	number, _ := strconv.Atoi(args[len(args)-1]) // as the supervisor wrote it
	if err := serve(inherited, number, errOut); err != nil {
		inherited.Failed(err)
		return err
	}
	return nil
}

// A workerConfig is what a supervisor sends to a worker process, through a pipe of their own.
type workerConfig struct {
	Settings *configs.Settings
	DSN      string // the setting's, which no encoder prints
}

// serve serves as the supervisor wants it, until that says otherwise. It returns the error that ended it before.
func serve(inherited *prefork.Inherited, number int, errOut io.Writer) error {
	var told workerConfig
	if err := json.Unmarshal(inherited.WorkerConfig, &told); err != nil {
		return err
	}
	settings := told.Settings
	settings.LameDuck = 0 // it is over when the supervisor gives the order to stop
	settings.Seed = workerSeed(settings.Seed, number)
	settings.AdminToken, settings.DSN = "", configs.Secret(told.DSN)
	worker := zap.Int("worker", os.Getpid())
	sink := obslog.New(settings.LogLevel, settings.LogFormat, errOut, obslog.IsTerminal(errOut), worker)
	defer sink.Close()
	logger := sink.Logger().With(worker)
	defer obslog.RedirectStdLog(logger)()

	order := prefork.Retire
	serving, err := service.New(service.Config{
		Settings: settings, Sink: sink, Logger: logger,
		Sockets: service.Sockets{
			Serve: inherited.Listener, Admin: inherited.Admin, Private: true, Queue: func() host.AcceptQueuePolicy { return acceptQueuePolicy(order) },
		},
		Ready: inherited.Ready, Drained: inherited.Drained,
	})
	if err != nil {
		return err
	}
	stopping, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		order = inherited.Order()
		stop()
	}()
	err = serving.Run(stopping)
	serving.Close()
	return err
}

// workerSeed is the seed of a worker process, given that of all. The first one's is the same; those of others follow from
// it, so that what is drawn in one process is not drawn in the next again.
func workerSeed(seed, number int) int {
	if seed == 0 {
		return 0
	}
	const step = 0x9e3779b1 // no divisor of MaxSeed, which is a prime: no two numbers below it share a seed
	return 1 + int((uint64(seed-1)+uint64(number)*step)%configs.MaxSeed)
}

// acceptQueuePolicy is what becomes of the accept queue at an order. The supervisor keeps new connections out where all stop.
func acceptQueuePolicy(order prefork.Order) host.AcceptQueuePolicy {
	if order == prefork.Stop {
		return host.DrainShared
	}
	return host.Leave
}

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

// WorkerArgument begins the command line of a worker process. The number of the worker ends it, from 0 in the order of
// the starts. It is not a command of the program, because it is not for people.
const WorkerArgument = "worker"

// workerCommands returns a function that returns the command of the next worker process. It runs the binary of this
// process, even if the file has been replaced. Workers get their settings from the supervisor only.
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

// Environ returns environ without the variables that only the supervisor may use: settings, which include the token,
// and systemd's.
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

// RunWorker runs a worker process with the arguments args. It takes orders from its supervisor only: a signal to the
// whole process group (Ctrl-C) or control group (systemd) reaches it as well, and must not stop it before the accept
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
	number, _ := strconv.Atoi(args[len(args)-1]) // written by the supervisor
	if err := serve(inherited, number, errOut); err != nil {
		inherited.Failed(err)
		return err
	}
	return nil
}

// A workerConfig is the message that a supervisor sends to a new worker process, through a pipe.
type workerConfig struct {
	Settings *configs.Settings
	DSN      string // of the settings; encoders do not print it there
}

// serve serves with the configuration of the supervisor until the supervisor stops it, or an error does.
func serve(inherited *prefork.Inherited, number int, errOut io.Writer) error {
	var told workerConfig
	if err := json.Unmarshal(inherited.WorkerConfig, &told); err != nil {
		return err
	}
	settings := told.Settings
	settings.LameDuck = 0 // it has passed when the supervisor orders a stop
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

// workerSeed returns the seed of a worker process. The first worker uses seed itself. The others derive their own from
// it, because the next process must not draw the same numbers again.
func workerSeed(seed, number int) int {
	if seed == 0 {
		return 0
	}
	const step = 0x9e3779b1 // does not divide MaxSeed, a prime: two numbers below MaxSeed never share a seed
	return 1 + int((uint64(seed-1)+uint64(number)*step)%configs.MaxSeed)
}

// acceptQueuePolicy returns how to end the accept queue at an order. If all workers stop, the supervisor keeps new
// connections out.
func acceptQueuePolicy(order prefork.Order) host.AcceptQueuePolicy {
	if order == prefork.Stop {
		return host.DrainShared
	}
	return host.Leave
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
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
	"demo-server/server/host"
	"demo-server/server/prefork"
)

// workerArgument begins the command line of a worker process, and its number, from 0 in the order of their start, ends it.
// It is no command of the grammar, because it is not for people.
const workerArgument = "worker"

// workerCommands returns what makes the commands of worker processes, one after the other: this very binary, even where
// a newer one lies in its place. Their settings come from the supervisor, and from nowhere else.
func workerCommands(errOut io.Writer) func() *exec.Cmd {
	number := -1
	return func() *exec.Cmd {
		number++
		return &exec.Cmd{
			Path: "/proc/self/exe", Args: []string{os.Args[0], workerArgument, strconv.Itoa(number)},
			Env: workerEnviron(os.Environ()), Stderr: errOut,
		}
	}
}

// workerEnviron leaves out what is for the supervisor alone: settings, with the token, and systemd's variables.
func workerEnviron(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(variable string) bool {
		return slices.ContainsFunc([]string{"DEMO_SERVER_", "LISTEN_", "NOTIFY_SOCKET=", "WATCHDOG_"}, func(prefix string) bool {
			return strings.HasPrefix(variable, prefix)
		})
	})
}

// runWorker is the life of a worker process. It takes orders from its supervisor alone: a signal to the whole process group
// (Ctrl-C) or control group (systemd) reaches it as well, and must not stop it before the accept queue is empty.
func runWorker(args []string, errOut io.Writer) int {
	signal.Ignore(slices.Collect(maps.Keys(supervisorSignals))...)
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	obslog.IgnoreBrokenPipe()
	inherited, err := prefork.Inherit()
	if err != nil {
		fmt.Fprintf(errOut, "%s: %s is started by %s --processes, and by nobody else: %s\n", program, workerArgument, program, err)
		return exitUsage
	}
	number, _ := strconv.Atoi(args[len(args)-1]) // as the supervisor wrote it
	if err := serveFor(inherited, number, errOut); err != nil {
		inherited.Failed(err)
		return exitFailure
	}
	return exitOK
}

// A workerBrief is what a worker process is told by its supervisor, through a pipe of their own.
type workerBrief struct {
	Settings *configs.Settings
	DSN      string // the setting's, which no encoder prints
}

// serveFor serves as the supervisor wants it, until that says otherwise. It returns the error that ended it before.
func serveFor(inherited *prefork.Inherited, number int, errOut io.Writer) error {
	var told workerBrief
	if err := json.Unmarshal(inherited.Brief, &told); err != nil {
		return err
	}
	settings := told.Settings
	settings.LameDuck = 0 // it is over when the supervisor gives the order to stop
	settings.Seed = workerSeed(settings.Seed, number)
	settings.AdminToken, settings.DSN = "", configs.Secret(told.DSN)
	worker := zap.Int("worker", os.Getpid())
	log := openLog(settings, errOut, worker)
	defer log.Close()
	logger := log.Logger().With(worker)
	defer obslog.RedirectStdLog(logger)()

	order := prefork.Retire
	service, err := newService(settings, sockets{
		serve: inherited.Listener, admin: inherited.Admin, private: true, queue: func() host.Queue { return queueFor(order) },
	}, logger, log)
	if err != nil {
		return err
	}
	service.ready, service.drained = inherited.Ready, inherited.Drained
	stopping, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		order = inherited.Order()
		stop()
	}()
	err = service.run(stopping)
	service.panel.close()
	service.flush()
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

// queueFor is what becomes of the accept queue at an order. The supervisor keeps new connections out where all stop.
func queueFor(order prefork.Order) host.Queue {
	if order == prefork.Stop {
		return host.EmptyQueue
	}
	return host.LeaveQueue
}

package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The time limits for a child to be ready, and to end after each signal.
const (
	startTimeout = 20 * time.Second
	stopTimeout  = 10 * time.Second
)

// A child is a server that was started for one repeat.
type child struct {
	command *exec.Cmd
	log     tail
	address string        // host:port where it serves
	admin   string        // host:port of its admin listener, or empty
	ended   chan struct{} // closed when it has ended
	err     error         // how it ended, valid after ended is closed
}

// start starts a command in a process group of its own: a Ctrl-C goes only to the bench, which stops the child in
// order. start calls onLine for each line of its log.
func start(command *exec.Cmd, onLine func(string)) (*child, error) {
	isolate(command)
	shareOpenFiles()
	output, err := command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if command.Stdout == nil {
		command.Stdout = io.Discard
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	c := &child{command: command, ended: make(chan struct{})}
	go func() {
		c.read(output, onLine)
		c.err = command.Wait()
		close(c.ended)
	}()
	return c, nil
}

func (c *child) read(output io.Reader, onLine func(string)) {
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		c.log.add(lines.Text())
		onLine(lines.Text())
	}
	io.Copy(io.Discard, output) // after a line that is too long for the scanner: the child must not block
}

// startServer starts demo-server and waits until it reports that it is ready.
func startServer(ctx context.Context, binary string, row Row) (*child, error) {
	// The row's own flags come last, because the last of several equal flags counts.
	args := append([]string{"serve", "--host=127.0.0.1", "--port=0", "--admin-addr=127.0.0.1:0", "--admin-token=",
		"--log-format=json", "--log-level=info", "--mode=" + row.Mode}, row.Args...)
	command := exec.Command(binary, args...)
	command.Env = append(os.Environ(), row.Environ...)
	ready := make(chan readyLine, 1)
	c, err := start(command, func(line string) {
		var r readyLine
		if json.Unmarshal([]byte(line), &r) != nil || r.Message != "ready" {
			return
		}
		select {
		case ready <- r:
		default: // a repeated message, after startServer stopped waiting
		}
	})
	if err != nil {
		return nil, err
	}
	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	select {
	case r := <-ready:
		if c.address, c.admin, err = r.addresses(); err != nil {
			c.stop()
			return nil, err
		}
		return c, nil
	case <-c.ended:
		return nil, fmt.Errorf("did not start: %s", c.lastWords())
	case <-timeout.C:
		c.stop()
		return nil, fmt.Errorf("was not ready after %s: %s", startTimeout, c.lastWords())
	case <-ctx.Done():
		c.stop()
		return nil, ctx.Err()
	}
}

// A readyLine is the line that demo-server logs once when it serves.
type readyLine struct {
	Message string `json:"msg"`
	Address string `json:"address"`
	Admin   string `json:"admin"`
}

// addresses returns the addresses of the server and of its admin listener. Both must be loopback addresses, as the
// child's flags ask for.
func (r readyLine) addresses() (serves, admin string, err error) {
	admin = strings.TrimSuffix(strings.TrimPrefix(r.Admin, "http://"), "/")
	for _, address := range []string{r.Address, admin} {
		if to, err := netip.ParseAddrPort(address); err != nil || !to.Addr().IsLoopback() {
			return "", "", fmt.Errorf("serves at %.100q, which is no loopback address", address)
		}
	}
	return r.Address, admin, nil
}

// pid returns the child's process ID.
func (c *child) pid() int { return c.command.Process.Pid }

// dead reports whether the child has ended.
func (c *child) dead() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// stop asks the child to end. The second signal makes demo-server exit immediately, and the last one kills any process.
func (c *child) stop() error {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGTERM, syscall.SIGKILL} {
		if c.dead() {
			return nil
		}
		terminate(c.command, signal)
		select {
		case <-c.ended:
			if signal == syscall.SIGKILL {
				return fmt.Errorf("had to be killed: it did not end within %s", 2*stopTimeout)
			}
			return nil
		case <-time.After(stopTimeout):
		}
	}
	return errors.New("does not even end when it is killed")
}

// lastWords returns the last log lines of the child as readable text, and how it ended.
func (c *child) lastWords() string {
	words := c.log.String()
	if c.dead() {
		return strings.TrimSpace(fmt.Sprintf("it ended with %s\n%s", exitText(c.err), words))
	}
	return words
}

func exitText(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// A tail keeps the last lines of a log.
type tail struct {
	mu    sync.Mutex
	lines []string
}

const tailLines = 5

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, line)
	t.lines = t.lines[max(0, len(t.lines)-tailLines):]
}

// String returns the lines. It shortens lines of a JSON log to their level, message and error.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var plain []string
	for _, line := range t.lines {
		plain = append(plain, plainLine(line))
	}
	return strings.Join(plain, "\n")
}

func plainLine(line string) string {
	var entry struct {
		Level   string `json:"level"`
		Message string `json:"msg"`
		Error   string `json:"error"`
	}
	if json.Unmarshal([]byte(line), &entry) != nil || entry.Message == "" {
		return line
	}
	text := entry.Level + ": " + entry.Message
	if entry.Error != "" {
		text += ": " + entry.Error
	}
	return text
}

package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"syscall"

	"demo-server/configs"
	"demo-server/server/listener"
)

// Listen opens the socket that modes serve, unless the process has inherited one.
func Listen(settings *configs.Settings, inherited Sockets) (*listener.Source, error) {
	if inherited.Serve != nil {
		return listener.NewSource(inherited.Serve), nil
	}
	address := net.JoinHostPort(settings.Host, strconv.Itoa(settings.Port))
	source, err := listener.Listen(context.Background(), address, settings.Backlog)
	if err == nil {
		return source, nil
	}
	return nil, fmt.Errorf("cannot listen on %s: %s", address, Advise(err, "--port"))
}

// listenAdmin opens the admin listener's socket, or returns nil if settings ask for none. If the derived address is
// taken, it uses any free port, because no setting names that port.
func listenAdmin(settings *configs.Settings) (net.Listener, error) {
	address, derived := settings.AdminAddress()
	if address == "" {
		return nil, nil
	}
	socket, err := net.Listen(listener.Network(address), address)
	if err != nil && derived && errors.Is(err, syscall.EADDRINUSE) {
		socket, err = net.Listen("tcp4", "127.0.0.1:0")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s for admin: %s", address, Advise(err, "--admin-addr"))
	}
	return socket, nil
}

// Advise returns what is wrong with an address, and what to try.
func Advise(err error, flag string) string {
	var number syscall.Errno
	var name *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE) && flag == "--port":
		return "the port is taken; try --port 0 for a free one, or find who has it with: ss -ltnp"
	case errors.Is(err, syscall.EADDRINUSE):
		return "the port is taken; try another " + flag + ", or find who has it with: ss -ltnp"
	case errors.Is(err, fs.ErrPermission):
		return "not permitted; ports below 1024 need privileges, try another " + flag
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine does not have that address; try 127.0.0.1, or 0.0.0.0 for all of them"
	case errors.As(err, &name):
		return "the name is not known: " + name.Err
	case errors.As(err, &number):
		return number.Error()
	}
	return err.Error()
}

// Reachable returns an address that a client on this machine can use for the listener, which may listen on all
// addresses.
func Reachable(address net.Addr) string {
	host, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return address.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

//go:build e2e

package e2e_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"demo-server/internal/testkit"
)

// A client is one raw connection: nothing is sent again, and nothing is hidden.
type client struct {
	net.Conn
	reader *bufio.Reader
}

func (p *process) connect() (*client, error) {
	conn, err := net.DialTimeout("tcp", p.addr, testkit.Patience)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(2 * testkit.Patience))
	return &client{conn, bufio.NewReader(conn)}, nil
}

// dial is connect for the test's own goroutine. The connection ends with the test, at the latest.
func (p *process) dial(t *testing.T) *client {
	t.Helper()
	c, err := p.connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func (c *client) send() error {
	_, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: demo\r\n\r\n")
	return err
}

// receive reads one whole reply. An unknown status, or a 200 that is not our body, is an error.
func (c *client) receive() (status int, closes bool, err error) {
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return 0, false, err
	}
	body, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
	case response.StatusCode == http.StatusOK && string(body) != "Hello World":
		err = fmt.Errorf("the body is %q", body)
	case response.StatusCode != http.StatusOK && response.StatusCode != http.StatusServiceUnavailable:
		err = errors.New(response.Status)
	}
	return response.StatusCode, response.Close, err
}

// ask sends a request and reads its reply.
func (c *client) ask() (status int, closes bool, err error) {
	if err := c.send(); err != nil {
		return 0, false, err
	}
	return c.receive()
}

// want asks, and fails unless the answer is 200.
func (c *client) want(t *testing.T) (closes bool) {
	t.Helper()
	status, closes, err := c.ask()
	if err != nil || status != http.StatusOK {
		t.Errorf("got %d, %v; want 200", status, err)
	}
	return closes
}

// dialAll makes n connections, each with its request sent.
func (p *process) dialAll(t *testing.T, n int) []*client {
	t.Helper()
	clients := make([]*client, n)
	for i := range clients {
		clients[i] = p.dial(t)
		if err := clients[i].send(); err != nil {
			t.Fatal(err)
		}
	}
	return clients
}

// receiveAll reads the one reply of each, and counts them by status. A client without a reply is a failure.
func receiveAll(t *testing.T, clients []*client) (ok, refused int) {
	t.Helper()
	for i, c := range clients {
		status, _, err := c.receive()
		switch {
		case err != nil:
			t.Errorf("client %d of %d: %v", i, len(clients), err)
		case status == http.StatusOK:
			ok++
		default:
			refused++
		}
		c.Close()
	}
	return ok, refused
}

package backend

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"demo-server/memnet"
)

// The beginning of HTTP/2: the preface and empty settings.
const (
	preface  = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	settings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
)

// holds lists ways to hold a connection: bytes to send, with nothing after them.
var holds = []struct {
	name  string
	serve func(net.Listener, int) *Server
	sent  string
	reads bool
	want  time.Duration // until the connection is closed, for a client that reads
}{
	{"http, nothing", serveHTTP, "", true, 10 * time.Second},
	{"http, half a head", serveHTTP, "GET / HTTP/1.1\r\nHost:", true, 10 * time.Second},
	{"http, no body", serveHTTP, "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n", true, 10 * time.Second},
	{"http, kept", serveHTTP, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", true, idleTimeout},
	{"http, reply not read", serveHTTP, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", false, 0},
	{"grpc, nothing", serveGRPC, "", true, handshakeTimeout},
	{"grpc, half a preface", serveGRPC, preface[:10], true, handshakeTimeout},
	{"grpc, pings not answered", serveGRPC, preface + settings, true, 20 * time.Second},
	{"grpc, settings not read", serveGRPC, preface + settings, false, 0},
}

// hold dials and sends, and reads if reads is true. The channel receives the time at which the server has closed the
// connection.
func hold(p *memnet.Listener, sent string, reads bool) (closed <-chan time.Time) {
	client := p.Dial()
	ended := make(chan time.Time, 1)
	go io.WriteString(client, sent)
	go func() {
		if !reads {
			time.Sleep(time.Hour) // the server has closed before
		}
		client.SetReadDeadline(time.Now().Add(time.Hour))
		if _, err := io.Copy(io.Discard, client); !errors.Is(err, os.ErrDeadlineExceeded) {
			ended <- time.Now()
		}
		client.Close()
	}()
	return ended
}

// TestHeld checks that a connection that only holds the server is closed, and delays a stop by its grace at most.
func TestHeld(t *testing.T) {
	for _, row := range holds {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := memnet.Listen()
				server := row.serve(p, maxConns)
				defer server.Close()
				began := time.Now()
				end := <-hold(p, row.sent, row.reads)
				if took := end.Sub(began); row.reads && took != row.want {
					t.Errorf("closed after %v, want %v", took, row.want)
				}
			})
			synctest.Test(t, func(t *testing.T) {
				p := memnet.Listen()
				server := row.serve(p, maxConns)
				hold(p, row.sent, row.reads)
				synctest.Wait()
				grace, cancel := context.WithTimeout(t.Context(), 15*time.Second)
				defer cancel()
				if err := server.Stop(grace); err != nil {
					t.Error(err)
				}
				time.Sleep(2 * time.Hour) // the client ends too
			})
		})
	}
}

// maxConns is the limit in these tests.
const maxConns = 2

// TestFull checks that connections that hold the server to its limit delay others only as long as they may.
func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := memnet.Listen()
		server := serveGRPC(p, maxConns)
		defer server.Close()
		began := time.Now()
		var last <-chan time.Time
		for range 2*maxConns + 1 {
			last = hold(p, "", true)
		}
		if took := (<-last).Sub(began); took != 3*handshakeTimeout {
			t.Errorf("the last is closed after %v, want its turn after %v", took, 2*handshakeTimeout)
		}
	})
}

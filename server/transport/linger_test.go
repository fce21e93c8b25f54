package transport

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"demo-server/server"
	"demo-server/server/listener"
)

// transports holds all transports, by name.
var transports = map[string]func(context.Context, *listener.Source, *server.App) error{
	"net/http": func(ctx context.Context, src *listener.Source, app *server.App) error {
		return NetHTTP(ctx, src, app, (*server.Job).Run)
	},
	"fasthttp": func(ctx context.Context, src *listener.Source, app *server.App) error {
		return FastHTTP(ctx, src, app, (*server.Job).Run)
	},
	"blocking": serveBlocking,
}

func serveBlocking(ctx context.Context, src *listener.Source, app *server.App) error {
	b, err := NewBlocking(ctx, src, app)
	if err != nil {
		return err
	}
	defer b.Close()
	app.Schedule(b.Run)
	for c := b.Next(); c != nil; c = b.Next() {
		if job := c.Read(); job != nil {
			app.Admit(job)
		}
		c.Write()
	}
	return nil
}

// TestLinger checks that a client that sends its whole body before it reads gets the refusal, and not a reset.
func TestLinger(t *testing.T) {
	sized := "GET / HTTP/1.1\r\nHost: demo\r\nContent-Length: 200000\r\n\r\n" + strings.Repeat("x", 200_000)
	chunk := "1000\r\n" + strings.Repeat("x", 0x1000) + "\r\n"
	for name, serve := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, err := listener.Listen(t.Context(), "127.0.0.1:0", 0)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- serve(ctx, source, newApp()) }()
			for name, row := range map[string]struct {
				send string
				want int
			}{
				"sized":   {sized, http.StatusRequestEntityTooLarge},
				"chunked": {"GET / HTTP/1.1\r\nHost: demo\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat(chunk, 50) + "0\r\n\r\n", http.StatusRequestEntityTooLarge},
				"header":  {"GET / HTTP/1.1\r\nHost: demo\r\nX: " + strings.Repeat("x", 200_000) + "\r\n\r\n", http.StatusRequestHeaderFieldsTooLarge},
			} {
				if got, err := sendThenRead(source.Addr().String(), row.send); got != row.want || err != nil {
					t.Errorf("%s: %d, %v; want %d", name, got, err, row.want)
				}
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			source.Close()
		})
	}
}

func sendThenRead(address, send string) (status int, err error) {
	client, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	if _, err := io.WriteString(client, send); err != nil {
		return 0, err
	}
	reply, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, reply.Body)
	return reply.StatusCode, err
}

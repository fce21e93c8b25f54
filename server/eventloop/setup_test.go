package eventloop

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"demo-server/server"
	"demo-server/work"
)

// The tests in modes run whole modes over event loops. The tests here cover what cannot be seen from there.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testLimits() server.Limits {
	return server.Limits{
		MaxConnections: 3, MaxHeaderBytes: 4 << 10, MaxBodyBytes: 1 << 10,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, ReadRequestTimeout: 30 * time.Second, WriteTimeout: 20 * time.Second, IdleTimeout: time.Minute,
	}
}

func newApp() *server.App {
	return server.New(server.Config{Mode: "test", Work: work.NewSleep(), Body: []byte("Hello World"), Limits: testLimits()})
}

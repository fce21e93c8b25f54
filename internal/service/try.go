package service

import (
	"fmt"
	"time"

	"demo-server/configs"
	"demo-server/internal/catalog"
	"demo-server/modes"
)

const (
	// tryTime bounds how long the command to try takes if nothing else loads the server.
	tryTime = 16 * time.Second
	// tryClients and tryRequests are how much load it puts on a server, if that fits into the time.
	tryClients  = 100
	tryRequests = 500
)

// try returns a command that shows what the mode does with several requests at a time, and that ends within tryTime.
func try(settings *configs.Settings, url string) string {
	atOnce := tryClients
	if n := catalog.OfServer(settings).N; n > 0 {
		atOnce = min(atOnce, n)
	}
	rounds := tryRequests / atOnce
	if settings.Delay > 0 {
		rounds = min(rounds, int(tryTime/settings.Delay)-1) // ab sends one request first, and alone
	}
	if rounds < 1 {
		return "curl -i " + url
	}
	return fmt.Sprintf("ab -c %d -n %d %s", clients(settings, rounds*atOnce), rounds*atOnce, url)
}

// clients returns how many clients show the mode's bound: some more than it works for at a time, unless it refuses them. They
// are fewer than the requests: of these ab sends the first alone, and would open a connection for which it has none left.
func clients(settings *configs.Settings, requests int) int {
	n := max(1, min(tryClients, requests-1))
	switch catalog.Limit(settings).Overflow {
	case modes.Queue:
		return min(n, catalog.OfMode(settings).N+catalog.Processes(settings)*settings.Queue)
	case modes.Refuse:
		return min(n, catalog.OfMode(settings).N)
	}
	return n
}

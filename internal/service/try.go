package service

import (
	"fmt"
	"time"

	"demo-server/configs"
	"demo-server/internal/catalog"
	"demo-server/modes"
)

const (
	// tryTime limits the duration of the command to try, if there is no other load.
	tryTime = 16 * time.Second
	// tryClients and tryRequests are the load of the command, if that fits into the time.
	tryClients  = 100
	tryRequests = 500
)

// try returns a command that shows how the mode handles several requests at the same time, and that ends within
// tryTime.
func try(settings *configs.Settings, url string) string {
	atOnce := tryClients
	if n := catalog.OfServer(settings).N; n > 0 {
		atOnce = min(atOnce, n)
	}
	rounds := tryRequests / atOnce
	if settings.Delay > 0 {
		rounds = min(rounds, int(tryTime/settings.Delay)-1) // ab sends its first request alone
	}
	if rounds < 1 {
		return "curl -i " + url
	}
	return fmt.Sprintf("ab -c %d -n %d %s", clients(settings, rounds*atOnce), rounds*atOnce, url)
}

// clients returns how many clients show the mode's limit: somewhat more than the limit, unless the mode refuses them.
// They are fewer than the requests, because ab sends the first request alone and would open a connection without a
// request.
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

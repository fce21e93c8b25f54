package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"demo-server/bench"
	"demo-server/bench/originals"
	"demo-server/configs"
	"demo-server/internal/catalog"
)

// The article's test: ab -c 100 -n 5000 against a server that blocks each request for 2 s.
const (
	articleClients  = 100
	articleRequests = 5000
	articleDelay    = 2 * time.Second
	articleTime     = 10 * time.Minute // longer is not reasonable
)

// check fills in what flags mean for each other, and reports where they do not go together.
func (b *benchRunCommand) check(l *line) {
	b.checkArticle(l)
	b.checkQuick(l)
	b.checkLoad(l)
	if b.With != bench.Builtin {
		b.checkTool(l)
	}
	b.checkAgainst(l)
	b.benchFiles.check(l)
	b.checkRows(l)
	b.checkCountable(l)
	b.checkExpect(l)
}

// checkRows reports settings that do not go together in a row, each mistake once. Those of all rows are reported anyway.
func (b *benchRunCommand) checkRows(l *line) {
	if _, err := l.loadSettings(); err != nil || len(l.mistakes) > 0 {
		return
	}
	var said []string
	for _, v := range b.rowVariants(l) {
		_, err := v.row(l)
		if err == nil || slices.Contains(said, err.Error()) {
			continue
		}
		said = append(said, err.Error())
		l.mistaken("%s", err)
	}
}

func (b *benchRunCommand) checkArticle(l *line) {
	if !b.Article {
		return
	}
	for _, name := range []string{"concurrency", "requests", "duration", "rate", "delay"} {
		if given := l.gave(name); given != "" {
			l.mistaken("flag %s: --article fixes it", given)
		}
	}
	for _, row := range b.Row {
		if row.sets("delay") {
			l.mistaken("flag --row %s: delay: --article fixes it", configs.Quote(row.given))
		}
	}
	b.Concurrency, b.Requests, b.Rate = articleClients, articleRequests, 0
	if l.gave("repeat") == "" {
		b.Repeat = 1
	}
	if l.gave("budget") == "" {
		b.Budget = articleTime
	}
}

func (b *benchRunCommand) checkLoad(l *line) {
	requests, duration := l.gave("requests"), l.gave("duration")
	if requests != "" && duration != "" && !b.Article {
		l.mistaken("flag %s: cannot go with %s: a repeat ends by one of them", duration, requests)
	}
	longest := b.Duration
	if b.Requests > 0 {
		b.Duration, longest = 0, b.Budget
	}
	if b.Warmup >= longest {
		l.mistaken("flag --warmup: %s leaves nothing to measure of a repeat of %s", b.Warmup, longest)
	}
	if b.Rate > 0 && l.gave("concurrency") == "" {
		b.Concurrency = min(catalog.PossibleConnections(), 100_000)
	}
	checkOpenFiles(l, "concurrency", b.Concurrency)
}

// checkOpenFiles reports that a flag wants more connections than there can be. A child has the same limit.
func checkOpenFiles(l *line, name string, wanted int) {
	if most := catalog.PossibleConnections(); wanted > most {
		l.mistaken("flag --%s: %d is more than the limit of %d open files allows; want at most %d, or a higher limit"+
			" (ulimit -n)", name, wanted, catalog.OpenFileLimit(), most)
	}
}

// checkTool reports what ab and wrk cannot do.
func (b *benchRunCommand) checkTool(l *line) {
	cannot := func(flag, why string) { l.mistaken("flag %s: %s %s", flag, b.With, why) }
	if given := l.gave("rate"); given != "" {
		cannot(given, "has no open loop; use --with=builtin")
	}
	if b.Warmup > 0 {
		cannot("--warmup", "counts from the start; use --with=builtin")
	}
	switch b.With {
	case bench.AB:
		if b.Requests > 0 && b.Requests < b.Concurrency {
			cannot(l.gave("requests"), fmt.Sprintf("sends no fewer than there are clients; want at least %d", b.Concurrency))
		}
	case bench.WRK:
		if b.Article {
			cannot("--article", "knows no number of requests; use --with=ab or --with=builtin")
		} else if b.Requests > 0 {
			cannot(l.gave("requests"), "knows no number of requests; use --duration")
		}
		if b.SameBody {
			cannot("--same-body", "compares no bodies; use --with=builtin")
		}
		if l.gave("keepalive") != "" && !b.Keepalive {
			cannot("--keepalive", "keeps every connection; leave it out")
		}
		b.Keepalive = true
	}
}

// checkAgainst keeps load away from other machines, and names apart. Servers that are arguments follow those of flags.
func (b *benchRunCommand) checkAgainst(l *line) {
	for _, server := range b.URL {
		server.argument = true
		b.Against = append(b.Against, server)
	}
	nameServers(b.Against)
	taken := rowNames(b.wanted(l))
	if b.Originals {
		for _, program := range originals.Programs() {
			taken = append(taken, program.Name)
		}
	}
	for i := range b.Against {
		server := &b.Against[i]
		if slices.Contains(taken, server.name) {
			l.mistaken("%s: there is a row %s already; %s", server.source(), server.name, server.otherName())
		}
		taken = append(taken, server.name)
		if err := server.resolve(b.AllowRemote); err != nil {
			l.mistaken("%s: %s", server.source(), err)
		}
	}
}

// lookupTimeout bounds the wait for a name's addresses.
const lookupTimeout = 5 * time.Second

// lookup returns the addresses of a host. Tests have another.
var lookup = net.DefaultResolver.LookupNetIP

// resolve looks up the server's host, once for the whole run: a name may have other addresses the next time. Without
// remote, all of them must be of this machine.
func (a *against) resolve(remote bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	host := a.url.Hostname()
	found, err := lookup(ctx, "ip", host)
	var unknown *net.DNSError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("the name %s is not known: %s", configs.Quote(host), unknown.Err)
	case err != nil:
		return err
	}
	var elsewhere []string
	for _, address := range found {
		address = address.Unmap()
		a.addresses = append(a.addresses, netip.AddrPortFrom(address, a.port))
		if !address.IsLoopback() {
			elsewhere = append(elsewhere, address.String())
		}
	}
	switch {
	case remote || len(elsewhere) == 0:
		return nil
	case len(elsewhere) < len(found):
		return fmt.Errorf("%s has addresses of this machine and of others (%s); give the one that is meant",
			configs.Quote(host), strings.Join(elsewhere, ", "))
	}
	return fmt.Errorf("%s is not this machine; --allow-remote puts load on it where you may", elsewhere[0])
}

// check reports which of the files cannot be written, or are the same.
func (f benchFiles) check(l *line) {
	flags := map[string]string{} // by file
	for _, file := range []struct {
		flag string
		name fileName
	}{{"--report", f.Report}, {"--json", f.JSON}, {"--csv", f.CSV}} {
		if file.name == "" {
			continue
		}
		name, one := string(file.name), filepath.Clean(string(file.name))
		if err := canWrite(name); err != nil {
			l.mistaken("flag %s: %s cannot be written: %s", file.flag, configs.Quote(name), err)
		}
		if other, same := flags[one]; same && !special(name) {
			l.mistaken("flag %s: %s is what %s writes; want another file", file.flag, configs.Quote(name), other)
		}
		flags[one] = file.flag
	}
}

// canWrite returns an error where a file cannot be written. It leaves one that is there as it is, and none behind.
func canWrite(name string) error {
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return errors.New("it is a folder")
	case err == nil && special(name):
		return nil // to open it may wait for its reader
	case err == nil:
		return opens(name, os.O_WRONLY)
	case !errors.Is(err, fs.ErrNotExist):
		return reason(err)
	}
	if err := opens(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL); err != nil {
		return err
	}
	return os.Remove(name)
}

// special reports whether a file is a pipe or a device.
func special(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.Mode().IsRegular()
}

func opens(name string, how int) error {
	file, err := os.OpenFile(name, how, 0o600)
	if err != nil {
		return reason(err)
	}
	return file.Close()
}

// reason is a file's error without its name.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// check reports what cannot be measured.
func (b *benchCostCommand) check(l *line) {
	if l.gave("in-flight") != "" {
		checkOpenFiles(l, "in-flight", b.InFlight)
	}
	benchFiles{JSON: b.JSON}.check(l)
}

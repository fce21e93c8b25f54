package benchspec

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
	articleTime     = 10 * time.Minute // rows that would take longer are skipped
)

// A checker collects the mistakes in a Run or a Cost.
type checker struct {
	Input
	mistaken bool // there were earlier mistakes
	errs     []error
}

func (k *checker) errorf(format string, args ...any) {
	k.errs = append(k.errs, fmt.Errorf(format, args...))
}

// failed reports whether there are mistakes so far.
func (k *checker) failed() bool { return k.mistaken || k.errs != nil }

// Check applies the flags that change the defaults of others, and returns the mistakes. mistaken says that there were
// mistakes before. Then Check omits the ones that may follow from those.
func (r *Run) Check(in Input, mistaken bool) []error {
	k := &checker{Input: in, mistaken: mistaken}
	r.checkArticle(k)
	r.checkQuick(k)
	r.checkLoad(k)
	if r.With != bench.Builtin {
		r.checkTool(k)
	}
	r.checkAgainst(k)
	r.Output.check(k)
	r.checkRows(k)
	r.checkCountable(k)
	r.checkExpect(k)
	return k.errs
}

// checkRows reports settings that cannot be combined in a row, each mistake once. It skips settings that are wrong for
// all rows, because the caller reports them.
func (r *Run) checkRows(k *checker) {
	if _, err := k.Settings(); err != nil || k.failed() {
		return
	}
	var said []string
	for _, v := range r.rowVariants(k) {
		_, err := v.row(k)
		if err == nil || slices.Contains(said, err.Error()) {
			continue
		}
		said = append(said, err.Error())
		k.errorf("%s", err)
	}
}

func (r *Run) checkArticle(k *checker) {
	if !r.Article {
		return
	}
	for _, name := range []string{"concurrency", "requests", "duration", "rate", "delay"} {
		if given := k.Given(name); given != "" {
			k.errorf("flag %s: cannot be combined with --article", given)
		}
	}
	for _, row := range r.Row {
		if row.sets("delay") {
			k.errorf("flag --row %s: delay: cannot be combined with --article", configs.Quote(row.given))
		}
	}
	r.Concurrency, r.Requests, r.Rate = articleClients, articleRequests, 0
	if k.Given("repeat") == "" {
		r.Repeat = 1
	}
	if k.Given("budget") == "" {
		r.Budget = articleTime
	}
}

func (r *Run) checkLoad(k *checker) {
	requests, duration := k.Given("requests"), k.Given("duration")
	if requests != "" && duration != "" && !r.Article {
		k.errorf("flag %s: cannot go with %s: a repeat ends by one of them", duration, requests)
	}
	repeatTime := r.Duration
	if r.Requests > 0 {
		r.Duration, repeatTime = 0, r.Budget
	}
	if r.Warmup >= repeatTime {
		k.errorf("flag --warmup: %s leaves nothing to measure of a repeat of %s", r.Warmup, repeatTime)
	}
	if r.Rate > 0 && k.Given("concurrency") == "" {
		r.Concurrency = min(catalog.PossibleConnections(), 100_000)
	}
	checkOpenFiles(k, "concurrency", r.Concurrency)
}

// checkOpenFiles reports a flag that asks for more connections than this process can open. Its children have the same
// limit.
func checkOpenFiles(k *checker, name string, wanted int) {
	if limit := catalog.PossibleConnections(); wanted > limit {
		k.errorf("flag --%s: %d is more than the limit of %d open files allows; want at most %d, or a higher limit"+
			" (ulimit -n)", name, wanted, catalog.OpenFileLimit(), limit)
	}
}

// checkTool reports flags that ab or wrk do not support.
func (r *Run) checkTool(k *checker) {
	cannot := func(flag, why string) { k.errorf("flag %s: %s %s", flag, r.With, why) }
	if given := k.Given("rate"); given != "" {
		cannot(given, "has no open loop; use --generator=builtin")
	}
	if r.Warmup > 0 {
		cannot("--warmup", "counts from the start; use --generator=builtin")
	}
	switch r.With {
	case bench.AB:
		if r.Requests > 0 && r.Requests < r.Concurrency {
			cannot(k.Given("requests"), fmt.Sprintf("sends no fewer than there are clients; want at least %d", r.Concurrency))
		}
	case bench.WRK:
		if r.Article {
			cannot("--article", "knows no number of requests; use --generator=ab or --generator=builtin")
		} else if r.Requests > 0 {
			cannot(k.Given("requests"), "knows no number of requests; use --duration")
		}
		if r.SameBody {
			cannot("--same-body", "compares no bodies; use --generator=builtin")
		}
		if k.Given("keepalive") != "" && !r.Keepalive {
			cannot("--keepalive", "keeps every connection; leave it out")
		}
		r.Keepalive = true
	}
}

// checkAgainst reports external servers on other machines, and names that are taken. Arguments follow the flags.
func (r *Run) checkAgainst(k *checker) {
	for _, server := range r.URLs {
		server.argument = true
		r.Against = append(r.Against, server)
	}
	nameServers(r.Against)
	taken := rowNames(r.variants(k))
	if r.Originals {
		for _, p := range originals.Programs() {
			taken = append(taken, p.Name)
		}
	}
	for i := range r.Against {
		server := &r.Against[i]
		if slices.Contains(taken, server.name) {
			k.errorf("%s: there is a row %s already; %s", server.source(), server.name, server.otherName())
		}
		taken = append(taken, server.name)
		if err := server.resolve(r.AllowRemote); err != nil {
			k.errorf("%s: %s", server.source(), err)
		}
	}
}

// lookupTimeout limits the lookup of a name.
const lookupTimeout = 5 * time.Second

// lookup returns the addresses of a host. Tests replace it.
var lookup = net.DefaultResolver.LookupNetIP

// resolve looks up the server's host, once for the whole run, because the next lookup may return other addresses.
// Unless remote is true, all of them must belong to this machine.
func (a *ExternalServer) resolve(remote bool) error {
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

// check reports files that cannot be written, or that are the same.
func (f Output) check(k *checker) {
	flags := map[string]string{} // by file
	for _, file := range []struct {
		flag string
		name FileName
	}{{"--report", f.Report}, {"--json", f.JSON}, {"--csv", f.CSV}} {
		if file.name == "" {
			continue
		}
		name, one := string(file.name), filepath.Clean(string(file.name))
		if err := canWrite(name); err != nil {
			k.errorf("flag %s: %s cannot be written: %s", file.flag, configs.Quote(name), err)
		}
		if other, same := flags[one]; same && !special(name) {
			k.errorf("flag %s: %s is what %s writes; want another file", file.flag, configs.Quote(name), other)
		}
		flags[one] = file.flag
	}
}

// canWrite returns an error if a file cannot be written. It does not change an existing file, and does not leave a new
// one.
func canWrite(name string) error {
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return errors.New("it is a folder")
	case err == nil && special(name):
		return nil // opening it may block until there is a reader
	case err == nil:
		return tryOpen(name, os.O_WRONLY)
	case !errors.Is(err, fs.ErrNotExist):
		return cause(err)
	}
	if err := tryOpen(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL); err != nil {
		return err
	}
	return os.Remove(name)
}

// special reports whether a file is a pipe or a device.
func special(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.Mode().IsRegular()
}

func tryOpen(name string, how int) error {
	file, err := os.OpenFile(name, how, 0o600)
	if err != nil {
		return cause(err)
	}
	return file.Close()
}

// cause returns err without the name of the file.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Check returns the mistakes.
func (c *Cost) Check(in Input) []error {
	k := &checker{Input: in}
	if k.Given("in-flight") != "" {
		checkOpenFiles(k, "in-flight", c.InFlight)
	}
	c.Output.check(k)
	return k.errs
}

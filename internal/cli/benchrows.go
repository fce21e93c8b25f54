package cli

import (
	"fmt"
	"slices"
	"strings"

	"demo-server/bench"
	"demo-server/bench/result"
	"demo-server/configs"
	"demo-server/internal/catalog"
	"demo-server/modes"
)

// rows are all that are put under load.
func (b *benchRunCommand) rows(l *line) ([]bench.Row, error) {
	rows, err := rowsOf(l, b.rowVariants(l))
	if err != nil {
		return nil, err
	}
	crossed(rows)
	if b.Port != 0 {
		for i := range rows {
			rows[i].Args = append(rows[i].Args, fmt.Sprintf("--port=%d", b.Port))
		}
	}
	return append(rows, againstRows(b.Against)...), nil
}

// wanted are the modes to run, each with its own settings: those of --modes, then those of --row. Where only --row is
// given, no others run.
func (b *benchRunCommand) wanted(l *line) []variant {
	if l.gave("row") != "" && l.gave("modes") == "" {
		return b.Row
	}
	return slices.Concat(variants(b.Modes), b.Row)
}

// rowVariants returns the modes to run, each with each kind of work and with the delay that the command chooses for it.
func (b *benchRunCommand) rowVariants(l *line) []variant {
	all := times(b.wanted(l), b.kinds(l))
	for i := range all {
		all[i].chosen = b.chosenDelay(l, all[i].own())
	}
	return all
}

// variants are modes without settings of their own.
func variants(modes []string) (all []variant) {
	for _, mode := range modes {
		all = append(all, variant{mode: mode})
	}
	return all
}

// rowsOf makes a row of each variant.
func rowsOf(l *line, wanted []variant) (rows []bench.Row, err error) {
	names := rowNames(wanted)
	for i, variant := range wanted {
		row, err := variant.row(l)
		if err != nil {
			return nil, err
		}
		row.Name = names[i]
		rows = append(rows, row)
	}
	return rows, nil
}

// row is the server that runs the variant. A child reads the same files as this process, and has the same flags and
// environment, but for secrets.
func (v variant) row(l *line) (bench.Row, error) {
	own := slices.Concat(v.own(), v.chosen)
	settings, err := l.loadSettings(append(own, configs.Flag{Name: "mode", Value: v.mode})...)
	if err != nil {
		return bench.Row{}, err
	}
	mode, limit := catalog.Mode(settings), catalog.Limit(settings)
	row := bench.Row{
		Kind: result.KindMode, About: mode.Summary, When: mode.Choose, Mode: mode.Name, Args: words(slices.Concat(l.settings, own)),
		Environ:  childEnviron(l.environ, settings),
		Settings: byName(v.own()), Known: true, Work: settings.Work, WorkAbout: catalog.Kind(settings).Summary, Delay: settings.Delay, Body: settings.Body,
		Places: catalog.OfMode(settings).N, Bound: catalog.OfMode(settings).PerDelay(settings.Delay), Queue: -1,
		Processes: settings.Processes, Fault: settings.Fault,
	}
	switch limit.Overflow {
	case modes.Queue:
		row.Queue, row.QueueTimeout = catalog.Processes(settings)*settings.Queue, settings.QueueTimeout
	case modes.Refuse:
		row.Queue, row.Most, row.WhyMost = 0, limit.N, "it refuses more at a time"
	}
	bindWork(&row, settings)
	return row, nil
}

// words are settings as flags, without secrets.
func words(settings []configs.Flag) (words []string) {
	for _, setting := range settings {
		if secretFlags["--"+setting.Name] {
			continue
		}
		words = append(words, "--"+setting.Name+"="+setting.Value)
	}
	return words
}

func byName(settings []configs.Flag) map[string]string {
	values := map[string]string{}
	for _, setting := range settings {
		values[setting.Name] = setting.Value
	}
	return values
}

// rowNames names each variant. One that is there several times, which shows what noise does, gets a number.
func rowNames(variants []variant) (names []string) {
	seen := map[string]int{}
	for _, variant := range variants {
		name, cell := variant.name(), variant.name()+variant.kind
		if seen[cell]++; seen[cell] > 1 {
			name = fmt.Sprintf("%s#%d", name, seen[cell])
		}
		names = append(names, name)
	}
	return names
}

// name is the mode and what sets the variant apart: pool(50) for 50 workers, else pool(queue=5,workers=50).
func (v variant) name() string {
	_, settings, some := strings.Cut(v.given, ":")
	switch {
	case !some:
		return v.mode
	case len(v.settings) == 1 && v.settings[0].Name == "workers" && v.hasWorkers():
		settings = v.settings[0].Value
	}
	return v.mode + "(" + settings + ")"
}

func (v variant) hasWorkers() bool {
	return slices.Contains(modes.Named(v.mode).Settings, "workers")
}

// againstRows makes a row of each server that is running already, of which nothing is known.
func againstRows(servers []against) (rows []bench.Row) {
	for _, server := range servers {
		address := server.url.String()
		rows = append(rows, bench.Row{
			Name: server.name, Kind: result.KindAgainst, About: "a server at " + address,
			URL: address, Addresses: server.addresses,
		})
	}
	return rows
}

package benchspec

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

// rows returns all rows.
func (r *Run) rows(in Input) ([]bench.Row, error) {
	rows, err := rowsOf(in, r.rowVariants(in))
	if err != nil {
		return nil, err
	}
	labelByKind(rows)
	if r.Port != 0 {
		for i := range rows {
			rows[i].Args = append(rows[i].Args, fmt.Sprintf("--port=%d", r.Port))
		}
	}
	return append(rows, againstRows(r.Against)...), nil
}

// variants returns the modes to run, each with its own settings: first --modes, then --row. If only --row is given, the
// default of --modes does not count.
func (r *Run) variants(in Input) []Variant {
	if in.Given("row") != "" && in.Given("modes") == "" {
		return r.Row
	}
	return slices.Concat(variantsOf(r.Modes), r.Row)
}

// rowVariants returns the modes to run, each with each kind of work, and with the delay of --article or --quick.
func (r *Run) rowVariants(in Input) []Variant {
	all := cross(r.variants(in), r.kinds(in))
	for i := range all {
		all[i].forced = r.chosenDelay(in, all[i].allSettings())
	}
	return all
}

// variantsOf returns variants of modes without their own settings.
func variantsOf(modes []string) (all []Variant) {
	for _, mode := range modes {
		all = append(all, Variant{mode: mode})
	}
	return all
}

// rowsOf returns a row for each variant.
func rowsOf(in Input, wanted []Variant) (rows []bench.Row, err error) {
	names := rowNames(wanted)
	for i, variant := range wanted {
		row, err := variant.row(in)
		if err != nil {
			return nil, err
		}
		row.Name = names[i]
		rows = append(rows, row)
	}
	return rows, nil
}

// row returns the row of the variant. Its server reads the same files as this process, and gets the same flags and
// environment, except for secrets.
func (v Variant) row(in Input) (bench.Row, error) {
	own := slices.Concat(v.allSettings(), v.forced)
	settings, err := in.Settings(append(own, configs.Flag{Name: "mode", Value: v.mode})...)
	if err != nil {
		return bench.Row{}, err
	}
	mode, limit := catalog.Mode(settings), catalog.Limit(settings)
	row := bench.Row{
		Kind: result.KindMode, About: mode.Summary, When: mode.Choose, Mode: mode.Name, Args: words(slices.Concat(in.SettingFlags(), own)),
		Environ:  childEnviron(in.Environ(), settings),
		Settings: byName(v.allSettings()), Known: true, Work: settings.Work, WorkAbout: catalog.Kind(settings).Summary, Delay: settings.Delay, Body: settings.Body,
		Places: catalog.OfMode(settings).N, Bound: catalog.OfMode(settings).PerDelay(settings.Delay), Queue: -1,
		Processes: settings.Processes, Fault: settings.Fault,
	}
	switch limit.Overflow {
	case modes.Queue:
		row.Queue, row.QueueTimeout = catalog.Processes(settings)*settings.Queue, settings.QueueTimeout
	case modes.Refuse:
		row.Queue, row.Most, row.WhyMost = 0, limit.N, "it refuses more at a time"
	}
	applyWorkLimit(&row, settings)
	return row, nil
}

// words returns settings as flags, without secrets.
func words(settings []configs.Flag) (words []string) {
	for _, setting := range settings {
		if secrets()[setting.Name] {
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

// rowNames returns the names of variants. Repeated variants, which show the noise, get a number.
func rowNames(variants []Variant) (names []string) {
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

// name returns the mode with the settings of the variant: pool(50) for 50 workers, else pool(queue=5,workers=50).
func (v Variant) name() string {
	_, settings, some := strings.Cut(v.given, ":")
	switch {
	case !some:
		return v.mode
	case len(v.settings) == 1 && v.settings[0].Name == "workers" && v.hasWorkers():
		settings = v.settings[0].Value
	}
	return v.mode + "(" + settings + ")"
}

func (v Variant) hasWorkers() bool {
	return slices.Contains(modes.Named(v.mode).Settings, "workers")
}

// againstRows returns a row for each external server. Its properties are unknown.
func againstRows(servers []ExternalServer) (rows []bench.Row) {
	for _, server := range servers {
		address := server.url.String()
		rows = append(rows, bench.Row{
			Name: server.name, Kind: result.KindAgainst, About: "a server at " + address,
			URL: address, Addresses: server.addresses,
		})
	}
	return rows
}

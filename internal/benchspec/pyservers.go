package benchspec

import (
	"context"

	"demo-server/bench"
	"demo-server/bench/originals"
	"demo-server/bench/result"
	"demo-server/configs"
	"demo-server/internal/catalog"
	"demo-server/units"
)

// pythonBody is the reply of the article's programs. It does not depend on the settings.
const pythonBody = "Hello World"

// AddOriginals adds rows for the article's programs that this machine can run, and returns these programs.
func (r *Run) AddOriginals(in Input, config *bench.Config) (*originals.Set, error) {
	set, err := originals.Prepare(context.Background(), originals.Programs())
	if err != nil {
		return nil, err
	}
	settings, err := in.Settings(r.chosenDelay(in, nil)...)
	if err != nil {
		set.Close()
		return nil, err
	}
	config.Rows = append(config.Rows, pythonRows(set, settings)...)
	return set, nil
}

// pythonRows returns a row for each of the article's programs in set. They use the delay. Programs with a number of
// threads get as many as mode pool has workers.
func pythonRows(set *originals.Set, settings *configs.Settings) (rows []bench.Row) {
	for _, p := range set.Programs() {
		places := p.Places(settings.Workers)
		rows = append(rows, bench.Row{
			Name: p.Name, Kind: result.KindOriginal, About: p.About, Original: p.Name,
			Workers: settings.Workers, Known: true, Delay: settings.Delay, Body: pythonBody, Places: places,
			Bound: pythonBound(places, settings), Queue: -1,
		})
	}
	return rows
}

func pythonBound(places int, settings *configs.Settings) string {
	switch places {
	case 0:
		return ""
	case 1:
		return catalog.Capacity{N: 1, Words: "1 at a time"}.PerDelay(settings.Delay)
	}
	return catalog.Capacity{N: places, Words: units.Count(places, "thread")}.PerDelay(settings.Delay)
}

package cli

import (
	"time"

	"demo-server/configs"
)

// The quick test: every mode once in each of two rounds. With six modes and two cores it takes about 40 s, of which a
// third is starting, watching and stopping the servers.
const (
	quickDelay    = 200 * time.Millisecond
	quickDuration = 2500 * time.Millisecond
	quickRepeat   = 2
)

// checkQuick fills in what --quick chooses. A flag that is given wins.
func (b *benchRunCommand) checkQuick(l *line) {
	switch {
	case !b.Quick:
		return
	case b.Article:
		l.mistaken("flag --quick: cannot go with --article, which is a test of its own")
		return
	}
	if l.gave("duration") == "" {
		b.Duration = quickDuration
	}
	if l.gave("repeat") == "" {
		b.Repeat = quickRepeat
	}
}

// chosenDelay returns the delay that --article fixes, or that --quick chooses if no source gives one to a row with
// settings of its own.
func (b *benchRunCommand) chosenDelay(l *line, own []configs.Flag) []configs.Flag {
	if b.Article {
		return []configs.Flag{{Name: "delay", Value: articleDelay.String()}}
	}
	if !b.Quick {
		return nil
	}
	settings, err := l.loadSettings(own...)
	if err != nil || settings.Source("delay").Kind != configs.FromDefault {
		return nil // variant.row reports the error
	}
	return []configs.Flag{{Name: "delay", Value: quickDelay.String()}}
}

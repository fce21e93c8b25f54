package benchspec

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

// checkQuick applies the defaults of --quick. A flag that is given wins.
func (r *Run) checkQuick(k *checker) {
	switch {
	case !r.Quick:
		return
	case r.Article:
		k.errorf("flag --quick: cannot go with --article, which is a test of its own")
		return
	}
	if k.Given("duration") == "" {
		r.Duration = quickDuration
	}
	if k.Given("repeat") == "" {
		r.Repeat = quickRepeat
	}
}

// chosenDelay returns the delay of --article, or that of --quick for a row with the settings own, if no source sets
// one.
func (r *Run) chosenDelay(in Input, own []configs.Flag) []configs.Flag {
	if r.Article {
		return []configs.Flag{{Name: "delay", Value: articleDelay.String()}}
	}
	if !r.Quick {
		return nil
	}
	settings, err := in.Settings(own...)
	if err != nil || settings.Source("delay").Kind != configs.FromDefault {
		return nil // Variant.row reports the error
	}
	return []configs.Flag{{Name: "delay", Value: quickDelay.String()}}
}

package fault

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"demo-server/units"
)

// maxSigma is far above the limit that any cap sets. It keeps the numbers finite.
const maxSigma = 10

// A shape is the distribution of a delay.
type shape uint8

const (
	constant shape = iota
	uniform
	exponential
	logNormal
)

// A delay is a constant or a distribution.
type delay struct {
	shape shape
	at    time.Duration // the constant, or uniform's minimum, exponential's mean, logNormal's median
	to    time.Duration // uniform's maximum
	sigma float64       // logNormal's: the standard deviation of the delay's natural logarithm
	max   time.Duration // of exponential and logNormal: values above it are drawn again
}

func fixed(d time.Duration) delay { return delay{at: d} }

// draw returns a random delay.
func (d delay) draw(r *rand.Rand) time.Duration {
	switch d.shape {
	case constant:
		return d.at
	case uniform:
		return d.at + time.Duration(r.Int64N(int64(d.to-d.at)+1))
	}
	for {
		if drawn := float64(d.at) * d.stretch(r); drawn <= float64(d.max) {
			return time.Duration(drawn)
		}
	}
}

// stretch returns a random ratio of a delay to the mean or the median.
func (d delay) stretch(r *rand.Rand) float64 {
	if d.shape == exponential {
		return r.ExpFloat64()
	}
	return math.Exp(d.sigma * r.NormFloat64())
}

// percentile999 returns the 99.9th percentile, in nanoseconds.
func (d delay) percentile999() float64 {
	const deviations = 3.0902323061678132 // the standard normal distribution's 99.9th percentile
	if d.shape == exponential {
		return float64(d.at) * math.Log(1000)
	}
	return float64(d.at) * math.Exp(d.sigma*deviations)
}

// String returns the delay in the grammar.
func (d delay) String() string {
	switch d.shape {
	case uniform:
		return "uniform(" + units.FormatDuration(d.at) + "," + units.FormatDuration(d.to) + ")"
	case exponential:
		return "exp(" + units.FormatDuration(d.at) + ")"
	case logNormal:
		return "lognormal(" + units.FormatDuration(d.at) + "," + strconv.FormatFloat(d.sigma, 'f', -1, 64) + ")"
	}
	return units.FormatDuration(d.at)
}

// parseDelay parses a duration or a distribution.
func parseDelay(text string, caps Caps) (delay, error) {
	name, list, ok := strings.Cut(text, "(")
	if !ok {
		at, err := parseDuration(text, caps.MaxDelay)
		return fixed(at), err
	}
	list, closed := strings.CutSuffix(list, ")")
	first, second, two := strings.Cut(list, ",")
	switch {
	case name == "uniform" && closed && two:
		return parseUniform(first, second, caps.MaxDelay)
	case name == "exp" && closed && !two:
		return parseTailed(delay{shape: exponential, max: caps.MaxDelay}, first)
	case name == "lognormal" && closed && two:
		sigma, ok := parseDecimal(second)
		if !ok || sigma > maxSigma {
			return delay{}, fmt.Errorf("has %s for its sigma; want 0 to %d, with at most 6 decimals", show(second), maxSigma)
		}
		return parseTailed(delay{shape: logNormal, sigma: sigma, max: caps.MaxDelay}, first)
	}
	return delay{}, errors.New("is not a distribution; want uniform(LOWEST,HIGHEST), exp(MEAN) or lognormal(MEDIAN,SIGMA)")
}

func parseUniform(lowest, highest string, limit time.Duration) (delay, error) {
	at, err := parseDuration(lowest, limit)
	if err != nil {
		return delay{}, within(lowest, err)
	}
	to, err := parseDuration(highest, limit)
	if err != nil {
		return delay{}, within(highest, err)
	}
	if at > to {
		return delay{}, fmt.Errorf("ends before it begins; write uniform(%s,%s)", units.FormatDuration(to), units.FormatDuration(at))
	}
	return delay{shape: uniform, at: at, to: to}, nil
}

// parseTailed parses the mean or the median of a distribution without an upper end. It refuses a distribution with more
// than a thousandth of its delays above the cap. Delays above the cap are drawn again, which does not change the
// distribution of the others.
func parseTailed(d delay, text string) (delay, error) {
	at, err := parseDuration(text, d.max)
	if err != nil {
		return delay{}, within(text, err)
	}
	d.at = at
	if high := d.percentile999(); high > float64(d.max) {
		return delay{}, fmt.Errorf("is too long: 1 in 1000 takes more than %.3gs; want those to take at most %s",
			high/float64(time.Second), units.FormatDuration(d.max))
	}
	return d, nil
}

// within adds the name of a distribution's argument to an error.
func within(argument string, err error) error {
	return fmt.Errorf("is wrong: %s %w", show(argument), err)
}

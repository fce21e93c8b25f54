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

// maxSigma is far above what any cap allows, and keeps the numbers finite.
const maxSigma = 10

// A shape is how a delay is distributed.
type shape uint8

const (
	constant shape = iota
	uniform
	exponential
	logNormal
)

// A delay is a time to wait, or a distribution of it.
type delay struct {
	shape shape
	at    time.Duration // the constant, or uniform's lowest, exponential's mean, logNormal's median
	to    time.Duration // uniform's highest
	sigma float64       // logNormal's: the standard deviation of the delay's natural logarithm
	most  time.Duration // what is drawn above it is drawn again; of exponential and logNormal
}

func fixed(d time.Duration) delay { return delay{at: d} }

// draw is one delay of the distribution.
func (d delay) draw(r *rand.Rand) time.Duration {
	switch d.shape {
	case constant:
		return d.at
	case uniform:
		return d.at + time.Duration(r.Int64N(int64(d.to-d.at)+1))
	}
	for {
		if drawn := float64(d.at) * d.stretch(r); drawn <= float64(d.most) {
			return time.Duration(drawn)
		}
	}
}

// stretch draws the factor by which a delay differs from the mean or the median.
func (d delay) stretch(r *rand.Rand) float64 {
	if d.shape == exponential {
		return r.ExpFloat64()
	}
	return math.Exp(d.sigma * r.NormFloat64())
}

// slowest is the time, in nanoseconds, that one delay in a thousand exceeds: the 99.9th percentile.
func (d delay) slowest() float64 {
	const deviations = 3.0902323061678132 // the standard normal distribution's 99.9th percentile
	if d.shape == exponential {
		return float64(d.at) * math.Log(1000)
	}
	return float64(d.at) * math.Exp(d.sigma*deviations)
}

// String is the delay as it is read.
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

// parseDelay reads a duration or a distribution.
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
		return parseTailed(delay{shape: exponential, most: caps.MaxDelay}, first)
	case name == "lognormal" && closed && two:
		sigma, ok := parseDecimal(second)
		if !ok || sigma > maxSigma {
			return delay{}, fmt.Errorf("has %s for its sigma; want 0 to %d, with at most 6 decimals", show(second), maxSigma)
		}
		return parseTailed(delay{shape: logNormal, sigma: sigma, most: caps.MaxDelay}, first)
	}
	return delay{}, errors.New("is no distribution; want uniform(LOWEST,HIGHEST), exp(MEAN) or lognormal(MEDIAN,SIGMA)")
}

func parseUniform(lowest, highest string, most time.Duration) (delay, error) {
	at, err := parseDuration(lowest, most)
	if err != nil {
		return delay{}, within(lowest, err)
	}
	to, err := parseDuration(highest, most)
	if err != nil {
		return delay{}, within(highest, err)
	}
	if at > to {
		return delay{}, fmt.Errorf("ends before it begins; write uniform(%s,%s)", units.FormatDuration(to), units.FormatDuration(at))
	}
	return delay{shape: uniform, at: at, to: to}, nil
}

// parseTailed reads the mean or the median of a distribution without an upper end. One that has more than a thousandth
// of its delays above the cap is refused; those that remain above it are drawn again, which leaves the rest as it is.
func parseTailed(d delay, text string) (delay, error) {
	at, err := parseDuration(text, d.most)
	if err != nil {
		return delay{}, within(text, err)
	}
	d.at = at
	if slowest := d.slowest(); slowest > float64(d.most) {
		return delay{}, fmt.Errorf("is too long: 1 in 1000 takes more than %.3gs; want those to take at most %s",
			slowest/float64(time.Second), units.FormatDuration(d.most))
	}
	return d, nil
}

// within says which argument of a distribution an error is about.
func within(argument string, err error) error {
	return fmt.Errorf("is wrong: %s %w", show(argument), err)
}

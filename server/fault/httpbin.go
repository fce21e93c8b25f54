package fault

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"demo-server/units"
)

// A route is one of httpbin's routes with an argument at its end.
type route struct {
	prefix    string
	set       func(s *Spec, argument string, caps Caps) error
	otherwise Spec // the reply, as far as the query does not override it
}

var atOnce = always(fixed(0))

var routes = []route{
	{prefix: "/delay/", set: setDelay},
	{prefix: "/status/", set: setStatus, otherwise: Spec{delay: atOnce, size: always(int64(0))}},
	{prefix: "/bytes/", set: setSize, otherwise: Spec{delay: atOnce}},
}

// FromPath parses the paths of httpbin's routes (github.com/postmanlabs/httpbin, core.py). They answer as there:
//
//	/delay/{seconds}   after that time, such as 2 or 0.5; or 300ms, as in go-httpbin
//	/status/{codes}    at once, without a body; of 200:3,503 one by its weight among them (1 unless given)
//	/bytes/{n}         at once, with a body of n bytes
//	/drip              after ?delay=0 a body of &numbytes=10 bytes over &duration=2, with &code=200; times in seconds
//
// The first three also accept the parameters of ParseQuery. Values that httpbin clamps are errors here. ok is false for
// other paths. A slash at the end of the path is ignored. The path is not decoded.
func FromPath(path, rawQuery string, caps Caps) (spec Spec, ok bool, err error) {
	path = strings.TrimSuffix(path, "/")
	if path == "/drip" {
		spec, err = parseDripQuery(rawQuery, caps)
		return spec, true, err
	}
	for i := range routes {
		r := &routes[i]
		argument, found := strings.CutPrefix(path, r.prefix)
		if !found || argument == "" || strings.Contains(argument, "/") {
			continue
		}
		var s Spec
		err := r.set(&s, argument, caps)
		if err != nil {
			err = fmt.Errorf("%s %w", show(path), err)
		}
		if err := errors.Join(err, s.parseQuery(rawQuery, caps)); err != nil {
			return Spec{}, true, err
		}
		return s.Over(r.otherwise), true, nil
	}
	return Spec{}, false, nil
}

func setDelay(s *Spec, argument string, caps Caps) error {
	d, err := parseSeconds(argument, caps.MaxDelay)
	s.delay = always(fixed(d))
	return err
}

func setSize(s *Spec, argument string, caps Caps) error {
	n, err := parseSize(argument, caps)
	s.size = always(n)
	return err
}

func setStatus(s *Spec, argument string, caps Caps) error {
	var bounds []float64
	var total float64
	for code := range strings.SplitSeq(argument, ",") {
		code, weight, hasWeight := strings.Cut(code, ":")
		status, err := parseStatus(code, caps)
		if err != nil {
			return fmt.Errorf("is wrong: %s %w", show(code), err)
		}
		share, ok := 1.0, true
		if hasWeight {
			share, ok = parseDecimal(weight)
		}
		if !ok {
			return fmt.Errorf("is wrong: %s is not a weight; want a number with at most 6 decimals", show(weight))
		}
		total += share
		bounds = append(bounds, total)
		s.status = append(s.status, alternative[int]{value: status})
	}
	if total == 0 {
		return errors.New("has no code that can come; want a weight above 0")
	}
	for i, bound := range bounds {
		s.status[i].below = uint32(math.Round(bound / total * certain))
	}
	return nil
}

// parseSeconds parses a duration with an optional unit.
func parseSeconds(text string, limit time.Duration) (time.Duration, error) {
	if decimal.MatchString(text) {
		text += "s"
	}
	return parseDuration(text, limit)
}

// A dripping holds the parameters of /drip.
type dripping struct {
	duration, delay time.Duration
	numBytes        int64
	code            int
}

var dripNames = []string{"duration", "numbytes", "code", "delay"}

// parseDripQuery parses the query of /drip, which has its own parameters.
func parseDripQuery(rawQuery string, caps Caps) (Spec, error) {
	d := dripping{duration: 2 * time.Second, numBytes: 10, code: 200}
	var seen []string
	err := eachParameter(rawQuery, url.QueryUnescape, func(name, value string) error {
		if !slices.Contains(dripNames, name) {
			return notOfDrip(name)
		}
		if slices.Contains(seen, name) {
			return fmt.Errorf("%s %w", name, errTwice)
		}
		seen = append(seen, name)
		if err := d.set(name, value, caps); err != nil {
			return fmt.Errorf("%s=%s %w", name, show(value), err)
		}
		return nil
	})
	if err == nil {
		err = d.check(caps)
	}
	if err != nil {
		return Spec{}, err
	}
	return Spec{
		delay:     always(fixed(d.delay + d.duration)),
		status:    always(d.code),
		size:      always(d.numBytes),
		drip:      always(int(min(d.numBytes, maxPieces))),
		dripAfter: d.delay,
	}, nil
}

// notOfDrip returns an error if name is a parameter of the other routes, which /drip would ignore.
func notOfDrip(name string) error {
	if slices.Contains(names, name) {
		return unknown(name, dripNames)
	}
	return slip(name, dripNames)
}

func (d *dripping) set(name, value string, caps Caps) (err error) {
	switch name {
	case "duration":
		d.duration, err = parseSeconds(value, caps.MaxDelay)
	case "delay":
		d.delay, err = parseSeconds(value, caps.MaxDelay)
	case "numbytes":
		d.numBytes, err = parseSize(value, caps)
	case "code":
		d.code, err = parseStatus(value, caps)
	}
	return err
}

// check checks values that depend on each other or on defaults.
func (d *dripping) check(caps Caps) error {
	switch {
	case d.duration > caps.MaxDelay-d.delay:
		return fmt.Errorf("delay=%s and duration=%s are too long together; want at most %s",
			units.FormatDuration(d.delay), units.FormatDuration(d.duration), units.FormatDuration(caps.MaxDelay))
	case d.numBytes < 1 || d.numBytes > caps.MaxSize:
		return fmt.Errorf("numbytes=%d is out of range; want 1 to %s", d.numBytes, units.FormatSize(caps.MaxSize))
	}
	return nil
}

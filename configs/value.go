package configs

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"demo-server/units"
)

// A Value is the typed side of a setting: it parses text into a field, and formats the field as text.
type Value struct {
	Placeholder string   // stands for the value in help, such as DURATION
	Known       []string // the only values, or nil
	Switch      bool     // a flag without a value means true

	isText bool                       // printed YAML must quote texts that look like another type
	set    func(text string) *problem // leaves the field as it was if text is wrong
	text   func() string
}

// Want describes the texts that the setting accepts, such as "a whole number from 1 to 64". It returns "" if any text of a
// certain length will do.
func (v Value) Want() string {
	if wrong := v.set("\x00"); wrong != nil {
		want, _, _ := strings.Cut(strings.TrimPrefix(wrong.want, "want "), ", such as")
		return want
	}
	return ""
}

// A problem describes what is wrong with a text, and how to correct it.
type problem struct{ what, want string }

// parsed returns the Value that stores the result of parse in field.
func parsed[T any](placeholder string, field *T, parse func(string) (T, *problem), format func(T) string) Value {
	return Value{
		Placeholder: placeholder,
		set: func(text string) *problem {
			value, wrong := parse(text)
			if wrong == nil {
				*field = value
			}
			return wrong
		},
		text: func() string { return format(*field) },
	}
}

// asText returns a Value for text that parse accepts and may normalise.
func asText[T ~string](placeholder string, field *T, parse func(string) (T, *problem)) Value {
	value := parsed(placeholder, field, parse, func(t T) string { return string(t) })
	value.isText = true
	return value
}

// text returns the Value of a text of at most limit bytes.
func text(field *string, limit int64) Value {
	return asText("TEXT", field, func(given string) (string, *problem) { return given, tooLong(given, limit) })
}

// secret returns the Value of a secret text of at most limit bytes.
func secret(field *Secret, limit int64) Value {
	return asText("TEXT", field, func(given string) (Secret, *problem) {
		return Secret(given), tooLong(given, limit)
	})
}

// tooLong returns the problem of a text of more than limit bytes, or nil.
func tooLong(given string, limit int64) *problem {
	if int64(len(given)) > limit {
		return &problem{fmt.Sprintf("is %d bytes long", len(given)), "at most " + units.FormatSize(limit) + " are allowed"}
	}
	return nil
}

// file returns the Value of the name of a file, which need not exist yet.
func file(field *string) Value {
	return asText("FILE", field, func(given string) (string, *problem) {
		if given == "" {
			return "", &problem{"is not a file name", "want the name of a YAML file"}
		}
		return given, nil
	})
}

// enum returns the Value of one of the known names.
func enum(field *string, known ...string) Value {
	value := asText("NAME", field, func(given string) (string, *problem) {
		if !slices.Contains(known, given) {
			return "", &problem{"is not known", DidYouMean(given, known)}
		}
		return given, nil
	})
	value.Known = known
	return value
}

// toggle returns the Value of true or false.
func toggle(field *bool) Value {
	value := parsed("", field, func(given string) (bool, *problem) {
		if given != "true" && given != "false" {
			return false, &problem{"is neither true nor false", "write true or false"}
		}
		return given == "true", nil
	}, strconv.FormatBool)
	value.Known, value.Switch = []string{"true", "false"}, true
	return value
}

// number returns the Value of a whole number from lowest to highest.
func number(field *int, lowest, highest int) Value {
	want := fmt.Sprintf("want a whole number from %d to %d", lowest, highest)
	return parsed("N", field, func(given string) (int, *problem) {
		n, err := strconv.Atoi(given)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return 0, &problem{"is not a whole number", want}
		}
		// If the number is out of int's range, Atoi returns the nearest int.
		return n, outside(n, lowest, highest, want)
	}, strconv.Itoa)
}

// outside returns the problem of a value that is not from lowest to highest, or nil.
func outside[T int | int64 | time.Duration](value, lowest, highest T, want string) *problem {
	switch {
	case value < lowest:
		return &problem{"is too low", want}
	case value > highest:
		return &problem{"is too high", want}
	}
	return nil
}

// duration returns the Value of a duration in Go's syntax, from lowest to highest.
func duration(field *time.Duration, lowest, highest time.Duration) Value {
	want := fmt.Sprintf("want a duration from %s to %s", units.FormatDuration(lowest), units.FormatDuration(highest))
	if lowest == minPositive {
		want = "want a duration above 0s and up to " + units.FormatDuration(highest)
	}
	return parsed("DURATION", field, func(given string) (time.Duration, *problem) {
		d, err := time.ParseDuration(given)
		if err == nil {
			return d, outside(d, lowest, highest, want)
		}
		if bareNumber.MatchString(given) {
			return 0, &problem{"has no unit", "write " + units.WithUnit(given)}
		}
		return 0, &problem{"is not a duration", want + ", such as 2s or 300ms"}
	}, units.FormatDuration)
}

var bareNumber = regexp.MustCompile(`^[0-9]{1,18}(\.[0-9]{1,9})?$`)

// size returns the Value of a number of bytes from lowest to highest.
func size[T int | int64](field *T, lowest, highest int64) Value {
	want := fmt.Sprintf("want a size from %s to %s, in bytes or with KiB, MiB or GiB", units.FormatSize(lowest), units.FormatSize(highest))
	return parsed("SIZE", field, func(given string) (T, *problem) {
		n, ok := units.ParseSize(given)
		if !ok {
			return 0, &problem{"is not a size", want}
		}
		return T(n), outside(n, lowest, highest, want)
	}, func(n T) string { return units.FormatSize(int64(n)) })
}

// hostName matches the names to ask a resolver for. Underscores are not legal in a host name, but Docker and Compose
// use them.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?$`)

func isHost(name string) bool {
	_, err := netip.ParseAddr(name)
	return err == nil || hostName.MatchString(name)
}

// host returns the Value of an IP address or a host name.
func host(field *string) Value {
	return asText("HOST", field, func(given string) (string, *problem) {
		if !isHost(given) {
			return "", &problem{"is not a host", "want an IP address or a host name, without a port"}
		}
		return given, nil
	})
}

// adminAddr returns the Value of a listening address, normalised to host:port, or of auto or nothing.
func adminAddr(field *string) Value {
	wrong := &problem{"is not an address", "want HOST:PORT, :PORT, PORT, auto, or nothing for no admin listener"}
	return asText("ADDRESS", field, func(given string) (string, *problem) {
		if given == "" || given == AdminAuto {
			return given, nil
		}
		// Without a host, only this machine can connect, as with the derived address.
		if isPort(given) {
			return net.JoinHostPort("127.0.0.1", given), nil
		}
		name, port, err := net.SplitHostPort(given)
		if err != nil || !isPort(port) || name != "" && !isHost(name) {
			return "", wrong
		}
		return net.JoinHostPort(name, port), nil
	})
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

var visible = regexp.MustCompile(`^[!-~]*$`)

// token returns the Value of a secret that an HTTP header can carry.
func token(field *Secret) Value {
	return asText("TOKEN", field, func(given string) (Secret, *problem) {
		if len(given) > 1024 || !visible.MatchString(given) {
			return "", &problem{"cannot be sent in a header", "want at most 1024 visible ASCII characters, and no space"}
		}
		return Secret(given), nil
	})
}

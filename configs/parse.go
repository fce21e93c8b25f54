package configs

import (
	"fmt"
	"time"
)

// Number parses a whole number from lowest to highest, with the same rules and errors as a setting.
func Number(text string, lowest, highest int) (int, error) {
	var n int
	err := parse(number(&n, lowest, highest), text)
	return n, err
}

// Duration parses a duration from lowest to highest, with the same rules and errors as a setting. A lowest of 1ns
// stands for all durations above 0s.
func Duration(text string, lowest, highest time.Duration) (time.Duration, error) {
	var d time.Duration
	err := parse(duration(&d, lowest, highest), text)
	return d, err
}

func parse(value Value, text string) error {
	wrong := value.set(text)
	if wrong == nil {
		return nil
	}
	return fmt.Errorf("%s %s; %s", Quote(text), wrong.what, wrong.want)
}

package configs

import (
	"fmt"
	"time"
)

// Number reads a whole number from lowest to highest as one of a setting is read, and says what is wrong with it in the
// same words.
func Number(text string, lowest, highest int) (int, error) {
	var n int
	err := parse(number(&n, lowest, highest), text)
	return n, err
}

// Duration reads a duration from lowest to highest as one of a setting is read, and says what is wrong with it in the
// same words. A lowest of 1ns stands for all above 0s.
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

package configs

import (
	"testing"
	"time"
)

// Flags that are not settings follow the same rules.
func TestParse(t *testing.T) {
	number := func(text string) error { _, err := Number(text, 1, 9); return err }
	duration := func(text string) error { _, err := Duration(text, minPositive, time.Hour); return err }
	for _, c := range []struct {
		parse      func(string) error
		text, want string
	}{
		{number, "9", ""},
		{number, "10", `"10" is too high; want a whole number from 1 to 9`},
		{number, "1e1", `"1e1" is not a whole number; want a whole number from 1 to 9`},
		{duration, "1h", ""},
		{duration, "0s", `"0s" is too low; want a duration above 0s and up to 1h`},
		{duration, "2", `"2" has no unit; write 2s`},
		{duration, "300", `"300" has no unit; write 300ms or 300s`},
	} {
		got := ""
		if err := c.parse(c.text); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
	if n, err := Number("7", 1, 9); n != 7 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if d, err := Duration("7s", 0, time.Hour); d != 7*time.Second || err != nil {
		t.Errorf("got %s, %v", d, err)
	}
}

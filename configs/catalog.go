package configs

import "slices"

// A Catalog is what settings may name. The caller of Load provides it, because this package does not import the
// packages that it configures.
type Catalog struct {
	Modes []Choice // values of the setting mode; the first is the default
	Works []Choice // values of the setting work; the first is the default

	// QueuePlaces returns how many requests leave the queue at a time and what they get, such as 100 and "worker". It
	// returns 0 if the settings ask for no queue. Nil stands for a function that always returns 0.
	QueuePlaces func(*Settings) (n int, unit string)

	Checks []Check // of values that depend on each other, in addition to Load's own
}

// A Choice is one value of a setting that names a mode or a kind of work.
type Choice struct {
	Name        string
	Settings    []string // the settings that it reads and that some other choice does not, by name
	SideEffects bool     // a request must not ask for it, unless the server was started with it
}

// Table returns all settings in the order of help.
func (c Catalog) Table() []Setting { return new(Settings).table(c) }

// Requestable returns the kinds of work that a request may ask for, by itself or through Settings.Fault: the server's
// own, and those without side effects.
func (c Catalog) Requestable(s *Settings) (kinds []string) {
	if !s.Overrides && s.Fault == "" {
		return nil
	}
	for _, kind := range c.Works {
		if kind.Name == s.Work || !kind.SideEffects {
			kinds = append(kinds, kind.Name)
		}
	}
	return kinds
}

func (c Catalog) queuePlaces(s *Settings) (n int, unit string) {
	if c.QueuePlaces == nil {
		return 0, ""
	}
	return c.QueuePlaces(s)
}

// names returns the names of choices. The first is the default.
func names(choices []Choice) (names []string) {
	for _, choice := range choices {
		names = append(names, choice.Name)
	}
	return names
}

// first returns the default of choices, or "" if there are none.
func first(choices []Choice) string {
	if len(choices) == 0 {
		return ""
	}
	return choices[0].Name
}

// readers returns the names of the choices that read a setting.
func readers(choices []Choice, setting string) (names []string) {
	for _, choice := range choices {
		if slices.Contains(choice.Settings, setting) {
			names = append(names, choice.Name)
		}
	}
	return names
}

package configs

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Inputs are the sources that Load reads.
type Inputs struct {
	Flags   []Flag   // in the order given; the last of a name counts
	Environ []string // "NAME=value", as os.Environ returns; only DEMO_SERVER_… matters
	Catalog Catalog  // of modes and kinds of work
	Partial bool     // more settings will follow: skip the checks of values that depend on each other

	// ReadFile returns a file's bytes. Nil reads from the file system, and stops one byte after the largest size
	// allowed.
	ReadFile func(name string) ([]byte, error)
}

// A Check compares a setting's value, which is valid by itself, with those of others. Load calls it with the merged
// settings.
type Check struct {
	Setting   string                  // the setting to report
	DependsOn []string                // the other settings that Func reads; if one of them is wrong, there is no check
	Func      func(s *Settings) error // its error has a line for each mistake
}

// A Flag is one flag of a command line.
type Flag struct{ Name, Value string } // the name without dashes

// Load merges the sources. It checks every value of each source, overridden or not, and the values in force against
// each other. If several sources name a YAML file or a preset, it reads only the one that the strongest source names.
//
// The error is nil or Mistakes, with the strongest source first.
func Load(in Inputs) (*Settings, error) {
	l := newLoader(in.Catalog)
	flags, environment := l.flags(in.Flags), l.environment(in.Environ)
	l.apply(selectors(environment), selectors(flags))
	l.apply(l.defaults(), l.preset(), l.file(in.ReadFile), rest(environment), rest(flags))
	if !in.Partial {
		l.crossCheck(in.Catalog.Checks)
	}
	if len(l.mistakes) > 0 {
		slices.SortStableFunc(l.mistakes, func(a, b Mistake) int { return cmp.Compare(b.Source.Kind, a.Source.Kind) })
		return nil, l.mistakes
	}
	return l.settings, nil
}

// A loader collects settings and mistakes.
type loader struct {
	settings *Settings
	table    []Setting
	byName   map[string]Setting
	mistakes Mistakes
	wrong    map[string]bool // settings that have a mistake in some source
}

func newLoader(c Catalog) *loader {
	settings := &Settings{sources: map[string]Source{}}
	l := &loader{settings: settings, table: settings.table(c), byName: map[string]Setting{}, wrong: map[string]bool{}}
	for _, setting := range l.table {
		l.byName[setting.Name] = setting
	}
	return l
}

// An input is the text for a known setting, with its source.
type input struct {
	setting Setting
	text    string
	source  Source
}

func selectors(values []input) []input {
	return slices.DeleteFunc(slices.Clone(values), func(g input) bool { return !g.setting.Selector })
}

func rest(values []input) []input {
	return slices.DeleteFunc(slices.Clone(values), func(g input) bool { return g.setting.Selector })
}

func (l *loader) mistake(source Source, problem, want string) {
	l.mistakes = append(l.mistakes, Mistake{Source: source, Problem: problem, Want: want})
}

// apply checks all values of the layers and keeps the last valid one of each setting. The strongest layer comes last.
func (l *loader) apply(layers ...[]input) {
	for _, g := range slices.Concat(layers...) {
		l.set(g)
	}
}

func (l *loader) set(g input) {
	wrong := &problem{"is not valid UTF-8", "want text"}
	if utf8.ValidString(g.text) {
		wrong = g.setting.set(g.text)
	}
	if wrong == nil {
		l.settings.sources[g.setting.Name] = g.source
		return
	}
	value := Quote(g.text)
	if g.setting.Secret {
		value = redacted
	}
	l.mistakes = append(l.mistakes, Mistake{g.source, g.setting.Name, value, wrong.what, wrong.want})
	l.wrong[g.setting.Name] = true
}

func (l *loader) defaults() (values []input) {
	for _, setting := range l.table {
		if !setting.Selector {
			values = append(values, input{setting, setting.Default, Source{}})
		}
	}
	return values
}

func (l *loader) flags(flags []Flag) (values []input) {
	for _, flag := range flags {
		source := Source{Kind: FromFlag, Name: "--" + flag.Name}
		setting, known := l.byName[flag.Name]
		if !known {
			l.mistake(source, "unknown flag", l.suggest(flag.Name, Setting.Flag))
			continue
		}
		values = append(values, input{setting, flag.Value, source})
	}
	return values
}

// suggest names the setting that an unknown name resembles, spelled as in its source.
func (l *loader) suggest(name string, spell func(Setting) string) string {
	nearest, found := l.byName[Nearest(name, slices.Sorted(maps.Keys(l.byName)))]
	if !found {
		return `"demo-server config" prints all settings`
	}
	return "did you mean " + spell(nearest) + "?"
}

const variablePrefix = "DEMO_SERVER_"

func (l *loader) environment(environ []string) (values []input) {
	for _, entry := range environ {
		variable, value, _ := strings.Cut(entry, "=")
		suffix, ours := strings.CutPrefix(variable, variablePrefix)
		if !ours {
			continue
		}
		if fromKubernetes(variable, value) {
			l.settings.ignored = append(l.settings.ignored, variable)
			continue
		}
		name := strings.ReplaceAll(strings.ToLower(suffix), "_", "-")
		source := Source{Kind: FromEnvironment, Name: variable}
		setting, known := l.byName[name]
		switch {
		case !known || setting.Variable() != variable:
			l.mistake(source, "unknown variable", l.suggest(name, Setting.Variable))
		case value != "" || setting.AllowEmpty:
			values = append(values, input{setting, value, source})
		}
	}
	return values
}

package cli

import (
	"encoding"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"demo-server/configs"
	"demo-server/internal/catalog"
)

// A value is the value of a flag, with the facts that help and completion show. It is a pflag.Value.
type value struct {
	heading     string // of its group in help
	placeholder string // for the value in help; FILE completes names of files
	help        string
	fallback    string   // the default
	variable    string   // the environment variable of a setting
	choices     []string // the only values, or nil
	list        bool     // accepts several choices, with commas between them
	repeats     bool     // the flag may be given several times
	set         func(text string) error

	text    string // the current value
	lenient bool   // accepts every text
}

// Set sets the value. If the text is wrong, the value stays as it is.
func (v *value) Set(text string) error {
	err := v.set(text)
	if v.lenient {
		return nil
	}
	if err == nil {
		v.text = text
	}
	return err
}

// String returns the current value.
func (v *value) String() string { return v.text }

// Type returns the name of the type. cobra requires "bool" for --help.
func (v *value) Type() string {
	if v.placeholder == "" {
		return "bool"
	}
	return v.placeholder
}

// complete returns the completions of a word.
func (v *value) complete(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	before := ""
	if v.list {
		before = word[:strings.LastIndex(word, ",")+1]
	}
	values := startingWith(word[len(before):], v.choices)
	for i := range values {
		values[i] = before + values[i]
	}
	return values, cobra.ShellCompDirectiveNoFileComp
}

// A flagSet adds flags to a command, under the heading that was set last.
type flagSet struct {
	command   *cobra.Command
	heading   string
	completes bool // a shell asks for completions, which wrong values must not prevent
}

// add adds a flag. name is "name", or "name,n" for a flag with a short form.
func (f *flagSet) add(name string, v value) *pflag.Flag {
	name, short, _ := strings.Cut(name, ",")
	if v.heading == "" {
		v.heading = f.heading
	}
	if v.variable == "" && v.fallback != "" {
		if err := v.set(v.fallback); err != nil {
			panic(fmt.Sprintf("default of flag --%s: %s", name, err))
		}
	}
	v.text, v.lenient = v.fallback, f.completes
	flag := f.command.Flags().VarPF(&v, name, short, firstClause(v.help))
	if f.completes && v.placeholder != "FILE" {
		f.command.RegisterFlagCompletionFunc(name, v.complete)
	}
	return flag
}

// firstClause returns the beginning of a help text, for the lists of shells.
func firstClause(help string) string {
	if end := strings.IndexAny(help, ";:"); end > 0 {
		return help[:end]
	}
	return help
}

// number adds a flag for a whole number from lowest to highest.
func (f *flagSet) number(to *int, name, fallback string, lowest, highest int, help string) {
	f.add(name, value{fallback: fallback, placeholder: "N", help: help, set: func(text string) (err error) {
		n, err := configs.Number(text, lowest, highest)
		return assign(to, n, err)
	}})
}

// duration adds a flag for a duration from lowest to highest.
func (f *flagSet) duration(to *time.Duration, name, fallback string, lowest, highest time.Duration, help string) {
	f.add(name, value{fallback: fallback, placeholder: "DURATION", help: help, set: func(text string) error {
		d, err := configs.Duration(text, lowest, highest)
		return assign(to, d, err)
	}})
}

// timeout adds a flag for a duration above 0.
func (f *flagSet) timeout(to *time.Duration, name, fallback, help string) {
	f.add(name, value{fallback: fallback, placeholder: "DURATION", help: help, set: func(text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return fmt.Errorf("%s is not a timeout; want a duration above 0s, such as 2s or 300ms", configs.Quote(text))
		}
		*to = d
		return nil
	}})
}

// toggle adds a flag that does not need a value.
func (f *flagSet) toggle(to *bool, name, help string) {
	flag := f.add(name, value{help: help, set: func(text string) error {
		on, err := strconv.ParseBool(text)
		if err != nil {
			err = fmt.Errorf("%s is neither true nor false", configs.Quote(text))
		}
		return assign(to, on, err)
	}})
	flag.NoOptDefVal = "true"
	flag.Value.(*value).text = "false"
}

// word adds a flag that accepts any text.
func (f *flagSet) word(to *string, name, fallback, placeholder, help string) {
	f.add(name, value{fallback: fallback, placeholder: placeholder, help: help, set: func(text string) error { return assign(to, text, nil) }})
}

// words adds a flag that accepts any text and may be given several times.
func (f *flagSet) words(to *[]string, name, placeholder, help string) {
	f.add(name, value{placeholder: placeholder, help: help, repeats: true, set: func(text string) error {
		return assign(to, append(*to, text), nil)
	}})
}

// An unmarshaler is a pointer to a T that parses its own text.
type unmarshaler[T any] interface {
	*T
	encoding.TextUnmarshaler
}

// addParsed adds a flag for a type that parses its own text. If the type has a method Choices, that returns the only
// values.
func addParsed[T any, P unmarshaler[T]](f *flagSet, to *T, name string, v value) {
	if enum, ok := any(*to).(interface{ Choices() []string }); ok {
		v.choices = enum.Choices()
	}
	v.set = parseInto[T, P](to)
	f.add(name, v)
}

// addRepeated adds a flag for a type that parses its own text. The flag may be given several times.
func addRepeated[T any, P unmarshaler[T]](f *flagSet, to *[]T, name, placeholder, help string) {
	f.add(name, value{placeholder: placeholder, help: help, repeats: true, set: appendParsed[T, P](to)})
}

// parseInto returns a function that parses a text into a variable.
func parseInto[T any, P unmarshaler[T]](to *T) func(text string) error {
	return func(text string) error {
		parsed, err := parse[T, P](text)
		return assign(to, parsed, err)
	}
}

// appendParsed returns a function that parses a text and appends the result.
func appendParsed[T any, P unmarshaler[T]](to *[]T) func(text string) error {
	return func(text string) error {
		parsed, err := parse[T, P](text)
		return assign(to, append(*to, parsed), err)
	}
}

func parse[T any, P unmarshaler[T]](text string) (parsed T, err error) {
	err = P(&parsed).UnmarshalText([]byte(text))
	return parsed, err
}

// assign sets the variable of a flag. If the text of the flag was wrong, the variable keeps the default for later
// checks.
func assign[T any](to *T, parsed T, err error) error {
	if err == nil {
		*to = parsed
	}
	return err
}

// addSettings adds a flag for each setting that the command does not reserve.
func (f *flagSet) addSettings(l *commandLine, reserved map[string]string) {
	for _, setting := range catalog.Configs().Table() {
		if _, ok := reserved[setting.Name]; ok {
			continue
		}
		v := value{
			heading: setting.Group, placeholder: setting.Placeholder, help: setting.Help, fallback: setting.Default,
			variable: setting.Variable(), choices: setting.Known,
			// configs.Load checks the text, together with those of the other sources.
			set: func(text string) error {
				l.settings = append(l.settings, configs.Flag{Name: setting.Name, Value: text})
				return nil
			},
		}
		if setting.Switch {
			v.placeholder, v.choices = "", nil
		}
		flag := f.add(setting.Name, v)
		if setting.Switch {
			flag.NoOptDefVal = "true"
		}
	}
}

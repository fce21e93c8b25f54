package cli

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"demo-server/configs"
	"demo-server/internal/catalog"
	"demo-server/modes"
)

// A line is a command line with its parts told apart. kong stops at the first thing that it does not know; a line
// holds all of them, and leaves to kong what is right.
type line struct {
	args      []string // as given, without the program
	environ   []string
	command   *kong.Node // one that runs: where the line names a group of them, its default
	help      bool
	flags     []flag // those that the command knows, with values that it takes
	arguments []string
	settings  []configs.Flag    // the flags that are settings
	spelled   map[string]string // all flags that the command knows: by name, with the dashes that were used
	wrong     map[string]bool   // flags and arguments with a value that they do not take, by name
	mistakes  []string          // one line each
}

// A flag is one as it was given.
type flag struct {
	given string // with its dashes
	name  string
	value string
	bare  bool // without a value
}

func (l *line) mistaken(format string, args ...any) {
	l.mistakes = append(l.mistakes, fmt.Sprintf(format, args...))
}

func (l *line) mistakenBy(errs []error) {
	for _, err := range errs {
		l.mistaken("%s", err)
	}
}

// whole is the command line from the program's name on, as everybody may see it.
func (l *line) whole() []string {
	words := append([]string{program}, l.args...)
	for i, word := range words {
		flag, _, withValue := strings.Cut(word, "=")
		switch {
		case !secretFlags[flag]:
		case withValue:
			words[i] = flag + "=" + redacted
		case i+1 < len(words):
			words[i+1] = redacted
		}
	}
	return words
}

// redacted stands for a secret.
var redacted = configs.Secret("").String()

// secretFlags are those of settings that are never shown.
var secretFlags = func() map[string]bool {
	flags := map[string]bool{}
	for _, setting := range catalog.Configs().Table() {
		flags[setting.Flag()] = setting.Secret
	}
	return flags
}()

// line is a benchspec.Input.

// Given returns how the flag of that name was spelled, or "" where it was not given.
func (l *line) Given(name string) string { return l.spelled[name] }

// Wrong reports whether a flag or an argument has a value that it does not take.
func (l *line) Wrong(name string) bool { return l.wrong[name] }

// SettingFlags returns the flags that are settings.
func (l *line) SettingFlags() []configs.Flag { return l.settings }

// Settings returns the settings in force if more flags followed those given.
func (l *line) Settings(more ...configs.Flag) (*configs.Settings, error) {
	return l.loadSettings(more...)
}

// Environ returns the environment.
func (l *line) Environ() []string { return l.environ }

// words are the command line again, for kong: the command first, and each flag in one word with its value.
func (l *line) words() []string {
	words := slices.Concat(strings.Fields(l.command.Path()), l.arguments)
	for _, flag := range l.flags {
		words = append(words, "--"+flag.name+"="+flag.value)
	}
	return words
}

// loadSettings returns the settings in force with more flags behind those given, and nil for a command that takes none.
func (l *line) loadSettings(more ...configs.Flag) (*configs.Settings, error) {
	if !takesSettings(l.command) {
		return nil, nil
	}
	return configs.Load(configs.Inputs{
		Flags: slices.Concat(l.settings, more), Environ: l.environ, Catalog: catalog.Configs(),
	})
}

// readLine tells the parts of args apart. Flags may stand before the command.
func readLine(app *kong.Node, args, environ []string) *line {
	l := &line{args: args, environ: environ, spelled: map[string]string{}, wrong: map[string]bool{}}
	flags, words := l.split(app, args)
	words = l.chooseCommand(app, words)
	for _, flag := range flags {
		l.takeFlag(app, flag)
	}
	l.takeArguments(words)
	return l
}

// takeArguments keeps the words that the command knows as its arguments, up to the first that is wrong.
func (l *line) takeArguments(words []string) {
	wanted := l.command.Positional
	if len(wanted) == 1 && wanted[0].IsCumulative() {
		l.takeEach(wanted[0], words)
		return
	}
	for i, argument := range wanted {
		name := strings.ToUpper(argument.Name)
		if i >= len(words) {
			l.mistaken("argument %s: is missing; %s", name, wants(argument))
		} else if err := tryValue(argument, words[i]); err != nil {
			l.mistaken("argument %s: %s", name, err)
		} else if len(l.arguments) == i {
			l.arguments = words[:i+1]
		}
	}
	for _, word := range words[min(len(words), len(wanted)):] {
		l.mistaken("argument %s: not expected; %q takes no more arguments", configs.Quote(word), path(l.command))
	}
}

// takeEach keeps all words that an argument takes which may be there any number of times.
func (l *line) takeEach(argument *kong.Positional, words []string) {
	for _, word := range words {
		err := tryValue(argument, word)
		if err == nil {
			l.arguments = append(l.arguments, word)
			continue
		}
		l.wrong[argument.Name] = true
		l.mistaken("argument %s: %s", configs.Quote(word), err)
	}
}

// wants says what an argument would be.
func wants(argument *kong.Positional) string {
	if values := known(argument); values != nil {
		return "known: " + strings.Join(values, ", ")
	}
	return "want " + argument.Help
}

// split parts flags, each with its value, from the other words.
func (l *line) split(app *kong.Node, args []string) (flags []flag, words []string) {
	command := app
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		switch {
		case word == "-h" || word == "--help":
			l.help = true
		case !strings.HasPrefix(word, "-"):
			words = append(words, word)
			if child := findCommand(command, word); child != nil {
				command = child
			}
		default:
			var flag flag
			flag, args = readFlag(app, command, word, args)
			flags = append(flags, flag)
		}
	}
	return flags, words
}

// readFlag reads a flag, and its value from the next word where it needs one. It returns the words that are left.
func readFlag(app, command *kong.Node, word string, next []string) (f flag, left []string) {
	given, value, has := strings.Cut(word, "=")
	f = flag{given: given, name: strings.TrimLeft(given, "-"), value: value, bare: !has}
	model := likelyFlag(app, command, f)
	switch {
	case has:
		return f, next
	case model != nil && model.IsBool():
		if len(next) > 0 && (next[0] == "true" || next[0] == "false") { // which no command is called
			f.value, f.bare, next = next[0], false, next[1:]
		}
		return f, next
	case model == nil:
		// What follows an unknown flag is most likely its value: no second mistake.
		if len(next) > 0 && !strings.HasPrefix(next[0], "-") && findCommand(command, next[0]) == nil {
			next = next[1:]
		}
		return f, next
	case len(next) == 0 || strings.HasPrefix(next[0], "--") || likelyFlag(app, command, flag{given: next[0]}) != nil:
		return f, next
	}
	// One dash does not make a flag: --delay -1s is a wrong delay.
	f.value, f.bare = next[0], false
	return f, next[1:]
}

// chooseCommand takes the command off words. Where they name none, it is to serve.
func (l *line) chooseCommand(app *kong.Node, words []string) []string {
	l.command = app
	if len(words) > 0 && words[0] == "help" {
		l.help, words = true, words[1:]
	}
	for len(l.command.Children) > 0 && len(words) > 0 {
		command := findCommand(l.command, words[0])
		if command == nil && isArgument(l.command.DefaultCmd, words[0]) {
			break
		}
		if command == nil {
			l.mistaken("argument %s: %s", configs.Quote(words[0]), unknownCommand(l.command, words[0]))
			words = nil
			break
		}
		l.command, words = command, words[1:]
	}
	if l.command.DefaultCmd != nil {
		l.command = l.command.DefaultCmd
	}
	return words
}

// isArgument reports whether a word that is not the name of a command is an argument of the default one. A URL is; any
// other word is taken for a misspelled command.
func isArgument(command *kong.Node, word string) bool {
	return command != nil && len(command.Positional) > 0 && strings.Contains(word, "://")
}

// takeFlag keeps a flag that the command knows.
func (l *line) takeFlag(app *kong.Node, f flag) {
	model := findFlag(l.command, f)
	if model == nil {
		l.mistaken("%s: %s", configs.Source{Kind: configs.FromFlag, Name: f.given}, l.unknownFlag(app, f))
		return
	}
	f.name = model.Name
	l.spelled[f.name] = f.given
	switch {
	case f.bare && !model.IsBool():
		l.wrong[f.name] = true
		l.mistaken("flag %s: has no value; write %s=VALUE", f.given, f.given)
		return
	case f.bare:
		f.value = "true"
	}
	if _, ok := model.Mapper.(settingValue); ok {
		l.settings = append(l.settings, configs.Flag{Name: f.name, Value: f.value})
	} else if err := tryValue(model.Value, f.value); err != nil {
		l.wrong[f.name] = true
		for _, err := range parts(err) {
			l.mistaken("flag %s: %s", spelling(model, f), err)
		}
		return
	}
	l.flags = append(l.flags, f)
}

// tryValue returns what is wrong with the text of a value. kong itself stops at the first of all values that are wrong.
func tryValue(value *kong.Value, text string) error {
	word := kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: text})
	return value.Mapper.Decode(&kong.DecodeContext{Value: value, Scan: word}, reflect.New(value.Target.Type()).Elem())
}

// parts returns the errors that are joined in err.
func parts(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// spelling is a flag as it was given, with the value where only that tells it from others of its name.
func spelling(model *kong.Flag, f flag) string {
	if model.IsCumulative() {
		return f.given + " " + configs.Quote(f.value)
	}
	return f.given
}

// unknownFlag says what is wrong with a flag that the command does not know, and what would be right.
func (l *line) unknownFlag(app *kong.Node, f flag) string {
	if why, ok := chosen(l.command)[f.name]; ok && "--"+f.name == f.given {
		return fmt.Sprintf("%q chooses it itself: %s", path(l.command), why)
	}
	for _, command := range app.Leaves(false) {
		if findFlag(command, f) != nil {
			return fmt.Sprintf("unknown to %q; it is a flag of %q", path(l.command), path(command))
		}
	}
	var names []string
	for _, flag := range l.command.Flags {
		names = append(names, flag.Name)
	}
	if command := findCommand(app, f.name); command != nil && f.bare { // --version, as other programs have it
		return fmt.Sprintf("unknown; it is a command: %q", path(command))
	}
	if nearest := configs.Nearest(f.name, names); nearest != "" {
		return "unknown; did you mean --" + nearest + "?"
	}
	return fmt.Sprintf("unknown; %q lists all flags", path(l.command)+" --help")
}

// unknownCommand says what is wrong with a word that names no command below another, and what would be right.
func unknownCommand(above *kong.Node, word string) string {
	switch {
	case above.Name == "bench" && slices.Contains(modes.Names(), word):
		return "unknown command; to measure that mode, write --modes=" + word
	case slices.Contains(modes.Names(), word):
		return "unknown command; to serve in that mode, write --mode=" + word
	case above.Name == "bench" && strings.Contains(word, ":"):
		name, address, named := strings.Cut(word, "=")
		if !named {
			return "unknown command; for a server that is running already, write http://" + word
		}
		return "unknown command; for a server that is running already, write " + name + "=http://" + address
	}
	if name, _, is := strings.Cut(word, "="); is && slices.Contains(settingNames(), name) {
		return "unknown command; write --" + word
	}
	return "unknown command; " + configs.DidYouMean(word, commandNames(above))
}

func settingNames() (names []string) {
	for _, setting := range catalog.Configs().Table() {
		names = append(names, setting.Name)
	}
	return names
}

// findFlag returns the command's flag that f names, or nil.
func findFlag(command *kong.Node, f flag) *kong.Flag {
	for _, flag := range command.Flags {
		if f.given == "--"+flag.Name || flag.Short != 0 && f.given == "-"+string(flag.Short) {
			return flag
		}
	}
	return nil
}

// likelyFlag returns the flag that f names, or nil: that of the command named so far, else of any. Of several it is one
// that needs no value, because the word behind it may be the command.
func likelyFlag(app, command *kong.Node, f flag) (likely *kong.Flag) {
	if command.DefaultCmd != nil && command != app {
		command = command.DefaultCmd
	}
	if flag := findFlag(command, f); flag != nil {
		return flag
	}
	for _, command := range app.Leaves(false) {
		if flag := findFlag(command, f); flag != nil && (likely == nil || flag.IsBool()) {
			likely = flag
		}
	}
	return likely
}

// findCommand returns the command of that name below another, or nil.
func findCommand(above *kong.Node, name string) *kong.Node {
	for _, command := range visible(above) {
		if command.Name == name {
			return command
		}
	}
	return nil
}

// commandNames lists the names of the commands below another.
func commandNames(above *kong.Node) (names []string) {
	for _, command := range visible(above) {
		names = append(names, command.Name)
	}
	return names
}

// visible are the commands below another that a user can name.
func visible(above *kong.Node) []*kong.Node {
	return slices.DeleteFunc(slices.Clone(above.Children), func(command *kong.Node) bool { return command.Hidden })
}

// path is how a command is called. One that is hidden is the default of the group that it is in, and called like that.
func path(command *kong.Node) string { return program + " " + named(command).Path() }

// named is the command that has the name that a user gives.
func named(command *kong.Node) *kong.Node {
	if command.Hidden {
		return command.Parent
	}
	return command
}

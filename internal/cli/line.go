package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"demo-server/configs"
	"demo-server/internal/catalog"
	"demo-server/modes"
)

// A commandLine is a command line as it was given. It collects all mistakes, to report them together. It is a
// benchspec.Input.
type commandLine struct {
	args      []string // without the program
	environ   []string
	completes bool // a shell asks for completions of the line

	command   *cobra.Command
	reserved  map[string]string // by the command
	settings  []configs.Flag    // the flags that are settings
	spellings map[string]string // of the flags that were given, by name
	wrong     map[string]bool   // the flags and arguments with a wrong value, by name
	words     []string          // neither flags nor commands
	errs      usageErrors
}

func newCommandLine(args, environ []string) *commandLine {
	return &commandLine{
		args:      append([]string{}, args...), // not nil, which makes cobra read os.Args
		environ:   slices.DeleteFunc(slices.Clone(environ), isActiveHelp),
		completes: len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd),
		spellings: map[string]string{}, wrong: map[string]bool{},
	}
}

// isActiveHelp reports whether a variable is the one that cobra's completion script for PowerShell leaves in the
// environment. configs would take it for an unknown setting.
func isActiveHelp(variable string) bool {
	return strings.HasPrefix(variable, "DEMO_SERVER_ACTIVE_HELP=")
}

func (l *commandLine) errorf(format string, args ...any) {
	l.errs = append(l.errs, fmt.Sprintf(format, args...))
}

func (l *commandLine) addErrors(errs []error) {
	for _, err := range errs {
		l.errorf("%s", err)
	}
}

// Given returns the flag as it was spelled, or "" if it was not given.
func (l *commandLine) Given(name string) string { return l.spellings[name] }

// Wrong reports whether a flag or an argument has a wrong value.
func (l *commandLine) Wrong(name string) bool { return l.wrong[name] }

// SettingFlags returns the flags that are settings.
func (l *commandLine) SettingFlags() []configs.Flag { return l.settings }

// Environ returns the environment.
func (l *commandLine) Environ() []string { return l.environ }

// Settings returns the settings in force if more flags followed those given.
func (l *commandLine) Settings(more ...configs.Flag) (*configs.Settings, error) {
	return configs.Load(configs.Inputs{
		Flags: slices.Concat(l.settings, more), Environ: l.environ, Catalog: catalog.Configs(),
	})
}

// redactedArgs returns the command line with the program's name and without secrets.
func (l *commandLine) redactedArgs() []string {
	secret := map[string]bool{} // by flag
	for _, setting := range catalog.Configs().Table() {
		secret[setting.Flag()] = setting.Secret
	}
	redacted := configs.Secret("").String()
	words := append([]string{program}, l.args...)
	for i, word := range words {
		flag, _, assigned := strings.Cut(word, "=")
		switch {
		case !secret[flag]:
		case assigned:
			words[i] = flag + "=" + redacted
		case i+1 < len(words):
			words[i+1] = redacted
		}
	}
	return words
}

// parse reads all of args, one flag at a time, because pflag stops at the first mistake.
func (l *commandLine) parse(command *cobra.Command, reserved map[string]string, args []string) {
	l.command, l.reserved = command, reserved
	for len(args) > 0 {
		if args[0] == "--" {
			l.words = append(l.words, args[1:]...)
			return
		}
		args = args[l.parseOne(command.Flags(), args):]
	}
}

// parseOne reads the flag or word at the beginning of args, and returns how many elements of args belong to it.
func (l *commandLine) parseOne(flags *pflag.FlagSet, args []string) int {
	given, _, assigned := strings.Cut(args[0], "=")
	take := func(flag *pflag.Flag, text string) error {
		l.spellings[flag.Name] = given
		l.set(flag, given, text)
		return nil
	}
	next := ""
	if len(args) > 1 {
		next = args[1]
	}
	err := errOneDash
	if !isOneDash(given) {
		err = flags.ParseAll(args[:1], take)
	}
	var noValue *pflag.ValueRequiredError
	switch {
	case err == nil:
		l.words = append(l.words, flags.Args()...)
	case errors.As(err, &noValue) && len(args) > 1 && !isFlag(flags, next):
		flags.ParseAll(args[:2], take)
		return 2
	case errors.As(err, &noValue):
		name := noValue.GetFlag().Name
		l.spellings[name], l.wrong[name] = given, true
		l.errorf("flag %s: needs a value: %s=VALUE", given, given)
	default:
		l.errorf("%s: %s", configs.Source{Kind: configs.FromFlag, Name: given}, l.unknownFlag(given, assigned))
		if !assigned && next != "" && !strings.HasPrefix(next, "-") {
			return 2 // most likely the value of the unknown flag: not a second mistake
		}
	}
	return 1
}

var errOneDash = errors.New("several letters after one dash")

// isOneDash reports whether a flag has several letters after one dash, as the flags of other Go programs may have.
// pflag would take each letter for a flag, and -host for -h.
func isOneDash(given string) bool {
	return len(given) > 2 && given[0] == '-' && given[1] != '-'
}

// isFlag reports whether a word is a flag, and not the value of the previous one. One dash is not enough: --delay -1s
// is a wrong delay.
func isFlag(flags *pflag.FlagSet, word string) bool {
	return strings.HasPrefix(word, "--") || len(word) == 2 && word[0] == '-' && flags.ShorthandLookup(word[1:]) != nil
}

// set gives a flag its value.
func (l *commandLine) set(flag *pflag.Flag, given, text string) {
	err := flag.Value.Set(text)
	if err == nil {
		return
	}
	l.wrong[flag.Name] = true
	if flag.Value.(*value).repeats {
		given += " " + configs.Quote(text) // distinguishes it from others of its name
	}
	for _, err := range unjoin(err) {
		l.errorf("flag %s: %s", given, err)
	}
}

// unjoin returns the errors that are joined in err.
func unjoin(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// unknownFlag returns the message about a flag that the command does not have.
func (l *commandLine) unknownFlag(given string, assigned bool) string {
	name, root := strings.TrimLeft(given, "-"), l.command.Root()
	if why, ok := l.reserved[name]; ok && "--"+name == given {
		return fmt.Sprintf("not available in %q: %s", calledAs(l.command), why)
	}
	if other := commandWith(root, given); other != nil {
		return fmt.Sprintf("unknown to %q; it is a flag of %q", calledAs(l.command), calledAs(other))
	}
	if !assigned && slices.Contains(namesBelow(root), name) { // --version, as other programs have it
		return fmt.Sprintf("unknown; it is a command: %q", program+" "+name)
	}
	var names []string
	l.command.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Name != "help" {
			names = append(names, flag.Name)
		}
	})
	if nearest := configs.Nearest(name, names); nearest != "" {
		return "unknown; did you mean --" + nearest + "?"
	}
	return fmt.Sprintf("unknown; %q lists all flags", calledAs(l.command)+" --help")
}

// commandWith returns the first command that has the flag, among command and those below it, or nil.
func commandWith(command *cobra.Command, given string) *cobra.Command {
	name := strings.TrimLeft(given, "-")
	if "--"+name == given && command.Flags().Lookup(name) != nil || isFlag(command.Flags(), given) && "-"+name == given {
		return command
	}
	for _, below := range listed(command) {
		if found := commandWith(below, given); found != nil {
			return found
		}
	}
	return nil
}

// takeArguments reads the words of the line as the arguments of the command.
func (l *commandLine) takeArguments(wanted []argument) {
	words := l.words
	if len(words) > 0 && l.command.HasAvailableSubCommands() && !isArgument(wanted, words[0]) {
		l.errorf("argument %s: %s", configs.Quote(words[0]), unknownCommand(l.command, words[0]))
		return
	}
	for _, next := range wanted {
		switch {
		case next.repeats:
			l.takeEach(next, words)
			return
		case len(words) == 0:
			l.errorf("argument %s: is missing; %s", next.name, next.wants())
			continue
		}
		if err := next.set(words[0]); err != nil {
			l.errorf("argument %s: %s", next.name, err)
		}
		words = words[1:]
	}
	for _, word := range words {
		l.errorf("argument %s: not expected; %q takes no more arguments", configs.Quote(word), calledAs(l.command))
	}
}

// takeEach reads words as one argument, which may occur any number of times.
func (l *commandLine) takeEach(argument argument, words []string) {
	for _, word := range words {
		if err := argument.set(word); err != nil {
			l.wrong[argument.name] = true
			l.errorf("argument %s: %s", configs.Quote(word), err)
		}
	}
}

// wants returns the end of the message about a missing argument.
func (a argument) wants() string {
	if a.choices != nil {
		return "known: " + strings.Join(a.choices, ", ")
	}
	return "want " + a.want
}

// isArgument reports whether the first word is an argument of a command with others below it. Only a URL is. Any other
// word is taken for a misspelled command.
func isArgument(wanted []argument, word string) bool {
	return len(wanted) > 0 && strings.Contains(word, "://")
}

// unknownCommand returns the message about a word that is not the name of a command below another.
func unknownCommand(above *cobra.Command, word string) string {
	bench := above.HasParent() // except the root, only bench has commands below it
	name, text, assigned := strings.Cut(word, "=")
	switch {
	case bench && slices.Contains(modes.Names(), word):
		return "unknown command; to measure that mode, write --modes=" + word
	case slices.Contains(modes.Names(), word):
		return "unknown command; to serve in that mode, write --mode=" + word
	case bench && strings.Contains(word, ":") && !assigned:
		return "unknown command; for a server that is running already, write http://" + word
	case bench && strings.Contains(word, ":"):
		return "unknown command; for a server that is running already, write " + name + "=http://" + text
	case assigned && slices.Contains(settingNames(), name):
		return "unknown command; write --" + word
	}
	return "unknown command; " + configs.DidYouMean(word, namesBelow(above))
}

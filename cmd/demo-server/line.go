package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"demo-server/configs"
)

// A line is a command line with its parts told apart. kong stops at the first thing that it does not know; a line
// holds all of them, and leaves to kong what is right.
type line struct {
	command   *kong.Node
	help      bool
	flags     []flag // those that the command knows
	arguments []string
	settings  []configs.Flag // the flags that are settings
	mistakes  []string       // one line each
}

// A flag is one as it was given.
type flag struct {
	given string // with its dashes
	name  string
	value string
}

func (l *line) mistaken(format string, args ...any) {
	l.mistakes = append(l.mistakes, fmt.Sprintf(format, args...))
}

// words are the command line again, for kong: the command first, and each flag in one word with its value.
func (l *line) words() []string {
	words := append([]string{l.command.Name}, l.arguments...)
	for _, flag := range l.flags {
		words = append(words, "--"+flag.name+"="+flag.value)
	}
	return words
}

// readLine tells the parts of args apart. Flags may stand before the command.
func readLine(app *kong.Node, args []string) *line {
	l := &line{}
	flags, words := l.split(app, args)
	words = l.chooseCommand(app, words)
	for _, flag := range flags {
		l.takeFlag(app, flag)
	}
	if wanted := len(l.command.Positional); len(words) > wanted {
		for _, word := range words[wanted:] {
			l.mistaken("argument %s: not expected; %q takes no more arguments", configs.Quote(word), program+" "+l.command.Name)
		}
		words = words[:wanted]
	}
	l.arguments = words
	return l
}

// split parts flags, each with its value, from the other words.
func (l *line) split(app *kong.Node, args []string) (flags []flag, words []string) {
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		switch {
		case word == "-h" || word == "--help":
			l.help = true
		case !strings.HasPrefix(word, "-"):
			words = append(words, word)
		default:
			var flag flag
			var complete bool
			if flag, args, complete = readFlag(app, word, args); complete {
				flags = append(flags, flag)
			} else {
				l.mistaken("flag %s: has no value; write %s=VALUE", flag.given, flag.given)
			}
		}
	}
	return flags, words
}

// readFlag reads a flag, and its value from the next word where it needs one. It returns the words that are left.
func readFlag(app *kong.Node, word string, next []string) (f flag, left []string, complete bool) {
	given, value, has := strings.Cut(word, "=")
	f = flag{given: given, name: strings.TrimLeft(given, "-"), value: value}
	model := anyFlag(app, f)
	switch {
	case has:
		return f, next, true
	case model != nil && model.IsBool():
		f.value = "true"
		return f, next, true
	case model == nil:
		// What follows an unknown flag is most likely its value: no second mistake.
		if len(next) > 0 && !strings.HasPrefix(next[0], "-") && findCommand(app, next[0]) == nil {
			next = next[1:]
		}
		return f, next, true
	case len(next) == 0 || strings.HasPrefix(next[0], "--"):
		return f, next, false
	}
	// One dash does not make a flag: --delay -1s is a wrong delay.
	f.value = next[0]
	return f, next[1:], true
}

// chooseCommand takes the command off words. Where they name none, it is to serve.
func (l *line) chooseCommand(app *kong.Node, words []string) []string {
	l.command = app.DefaultCmd
	if len(words) > 0 && words[0] == "help" {
		l.help, words = true, words[1:]
	}
	if len(words) == 0 {
		return nil
	}
	command := findCommand(app, words[0])
	if command == nil {
		l.mistaken("argument %s: unknown command; %s", configs.Quote(words[0]), configs.DidYouMean(words[0], commandNames(app)))
		return nil
	}
	l.command = command
	return words[1:]
}

// takeFlag keeps a flag that the command knows.
func (l *line) takeFlag(app *kong.Node, f flag) {
	model := findFlag(l.command, f)
	if model == nil {
		l.mistaken("%s: %s", configs.Source{Kind: configs.FromFlag, Name: f.given}, l.unknownFlag(app, f))
		return
	}
	if _, ok := model.Mapper.(settingValue); ok {
		l.settings = append(l.settings, configs.Flag{Name: f.name, Value: f.value})
	}
	l.flags = append(l.flags, f)
}

// unknownFlag says what is wrong with a flag that the command does not know, and what would be right.
func (l *line) unknownFlag(app *kong.Node, f flag) string {
	for _, command := range app.Children {
		if findFlag(command, f) != nil {
			return fmt.Sprintf("unknown to %q; it is a flag of %q", program+" "+l.command.Name, program+" "+command.Name)
		}
	}
	var names []string
	for _, flag := range l.command.Flags {
		names = append(names, flag.Name)
	}
	if nearest := configs.Nearest(f.name, names); nearest != "" {
		return "unknown; did you mean --" + nearest + "?"
	}
	return fmt.Sprintf("unknown; %q lists all flags", program+" "+l.command.Name+" --help")
}

// findFlag returns the command's flag that f names, or nil.
func findFlag(command *kong.Node, f flag) *kong.Flag {
	for _, flag := range command.Flags {
		if "--"+flag.Name == f.given {
			return flag
		}
	}
	return nil
}

// anyFlag returns the flag of any command that f names, or nil.
func anyFlag(app *kong.Node, f flag) *kong.Flag {
	for _, command := range app.Children {
		if flag := findFlag(command, f); flag != nil {
			return flag
		}
	}
	return nil
}

// findCommand returns the command of that name, or nil.
func findCommand(app *kong.Node, name string) *kong.Node {
	i := slices.IndexFunc(app.Children, func(command *kong.Node) bool { return command.Name == name })
	if i < 0 {
		return nil
	}
	return app.Children[i]
}

func commandNames(app *kong.Node) (names []string) {
	for _, command := range app.Children {
		names = append(names, command.Name)
	}
	return names
}

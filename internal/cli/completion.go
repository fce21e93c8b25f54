package cli

import (
	"embed"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"text/template"

	"github.com/alecthomas/kong"

	"demo-server/configs"
)

// completionCommand prints a completion script. The script holds all names itself, so that completing starts no process;
// it has to be printed again when the binary changes.
type completionCommand struct {
	Shell shell `arg:"" optional:"" help:"bash, zsh or fish"`
}

// A shell is the name of one that there is a script for.
type shell string

func (shell) Choices() []string { return []string{"bash", "zsh", "fish"} }

// UnmarshalText takes the name of a shell.
func (s *shell) UnmarshalText(text []byte) error {
	*s = shell(text)
	if *s == "pwsh" || *s == "powershell" {
		return fmt.Errorf("%q: there is no script for PowerShell; known: %s", *s, strings.Join(s.Choices(), ", "))
	}
	return configs.OneOf(string(text), s.Choices())
}

// The scripts: a template for each shell, executed with the application's kong.Node.
//
//go:embed completion/*
var completions embed.FS

// Run prints the script for the shell.
func (c completionCommand) Run(s *streams, app *kong.Kong) error {
	script := template.New(string(c.Shell)).Funcs(template.FuncMap{
		"above":      func(command *kong.Node) string { return named(command).Parent.Path() },
		"anyValue":   anyValue,
		"brief":      brief,
		"commands":   func() []*kong.Node { return app.Model.Leaves(false) },
		"flags":      allFlags,
		"escape":     func(text string) string { return strings.ReplaceAll(text, ":", `\:`) }, // for zsh
		"isFile":     isFile,
		"isList":     isList,
		"join":       strings.Join,
		"known":      knownArguments,
		"named":      named,
		"names":      commandNames,
		"options":    optionWords,
		"own":        ownFlags,
		"seen":       seen,
		"spellings":  spellings,
		"takesFiles": takesFiles,
		"values":     values,
		"visible":    visible,
		"words":      func(words []string) string { return strings.Join(words, " ") },
	})
	return template.Must(script.ParseFS(completions, "completion/"+string(c.Shell))).Execute(s.out, app.Model.Node)
}

// allFlags are a command's flags, and those of the program.
func allFlags(command *kong.Node) []*kong.Flag {
	flags := command.Flags
	for above := command.Parent; above != nil; above = above.Parent {
		flags = slices.Concat(flags, above.Flags)
	}
	return flags
}

// values lists the only words that may follow a flag. A switch needs none.
func values(flag *kong.Flag) []string {
	if flag.IsBool() {
		return nil
	}
	return known(flag.Value)
}

func isFile(flag *kong.Flag) bool { return flag.PlaceHolder == "FILE" }

// isList reports whether a flag takes several of its values, with commas between them.
func isList(flag *kong.Flag) bool { return flag.Target.Kind() == reflect.Slice && !flag.IsCumulative() }

// anyValue picks the flags that any word may follow.
func anyValue(flags []*kong.Flag) []*kong.Flag {
	return slices.DeleteFunc(slices.Clone(flags), func(flag *kong.Flag) bool {
		return flag.IsBool() || values(flag) != nil || isFile(flag)
	})
}

// ownFlags are a command's flags that take a value, and are no settings.
func ownFlags(command *kong.Node) []*kong.Flag {
	return slices.DeleteFunc(slices.Clone(command.Flags), func(flag *kong.Flag) bool {
		_, setting := flag.Mapper.(settingValue)
		return setting || flag.IsBool()
	})
}

// spellings are all ways to write flags.
func spellings(flags ...*kong.Flag) (words []string) {
	for _, flag := range flags {
		words = append(words, "--"+flag.Name)
		if flag.Short != 0 {
			words = append(words, "-"+string(flag.Short))
		}
	}
	return words
}

// optionWords lists the words that a command takes: commands below it, its flags, and what its argument may be.
func optionWords(command *kong.Node) (words []string) {
	words = commandNames(named(command))
	for _, flag := range allFlags(command) {
		words = append(words, "--"+flag.Name)
	}
	return append(words, knownArguments(command)...)
}

// knownArguments lists what a command's argument may be, where that is known.
func knownArguments(command *kong.Node) []string {
	if len(command.Positional) == 0 {
		return nil
	}
	return known(command.Positional[0])
}

// seen is the condition of fish that a line has named a command.
func seen(command *kong.Node) string {
	group := named(command)
	seen := "__fish_seen_subcommand_from " + strings.ReplaceAll(group.Path(), " ", "; and __fish_seen_subcommand_from ")
	if below := commandNames(group); below != nil {
		seen += "; and not __fish_seen_subcommand_from " + strings.Join(below, " ")
	}
	return seen
}

func takesFiles(command *kong.Node) bool {
	return len(command.Positional) > 0 && placeholder(command.Positional[0].Target.Interface()) == "FILE"
}

// brief is the first clause of a help text, fit for single quotes in any of the shells and for the brackets of zsh.
func brief(help string) string {
	if end := strings.IndexAny(help, ";:"); end > 0 {
		help = help[:end]
	}
	return strings.NewReplacer("'", "’", "[", "(", "]", ")").Replace(help)
}

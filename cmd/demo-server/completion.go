package main

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/alecthomas/kong"

	"demo-server/configs"
)

// completionCommand prints a completion script. The script holds all names itself, so that completing starts no process;
// it has to be printed again when the binary changes.
type completionCommand struct {
	Shell string `arg:"" optional:"" help:"bash, zsh or fish"`
}

// The scripts: a template for each shell, executed with the application's kong.Node.
//
//go:embed completion/*
var completions embed.FS

var shells = []string{"bash", "zsh", "fish"}

// Run prints the script for the shell.
func (c completionCommand) Run(s *streams, app *kong.Kong) error {
	if c.Shell == "" {
		return usageError("argument SHELL: is missing; known: " + strings.Join(shells, ", "))
	}
	if !slices.Contains(shells, c.Shell) {
		return usageError(fmt.Sprintf("argument SHELL: %s is not known; %s",
			configs.Quote(c.Shell), configs.DidYouMean(c.Shell, shells)))
	}
	script := template.New(c.Shell).Funcs(template.FuncMap{
		"anyValue": anyValue,
		"brief":    brief,
		"flags":    func(command *kong.Node) []*kong.Flag { return slices.Concat(command.Flags, app.Model.Flags) },
		"isFile":   isFile,
		"join":     strings.Join,
		"names":    commandNames,
		"options":  options,
		"shells":   func() []string { return shells },
		"values":   values,
		"words":    func(words []string) string { return strings.Join(words, " ") },
	})
	return template.Must(script.ParseFS(completions, "completion/"+c.Shell)).Execute(s.out, app.Model.Node)
}

// values lists the only words that may follow a flag. A switch needs none.
func values(flag *kong.Flag) []string {
	if flag.IsBool() {
		return nil
	}
	return known(flag.Value)
}

// anyValue lists the flags of all commands that any word may follow.
func anyValue(app *kong.Node) (flags []string) {
	for _, command := range app.Children {
		for _, flag := range command.Flags {
			if !flag.IsBool() && values(flag) == nil && !isFile(flag) {
				flags = append(flags, "--"+flag.Name)
			}
		}
	}
	slices.Sort(flags)
	return slices.Compact(flags)
}

func isFile(flag *kong.Flag) bool { return flag.PlaceHolder == "FILE" }

// options lists the words that a command takes: its flags, and what its argument may be.
func options(command *kong.Node) (words []string) {
	for _, flag := range slices.Concat(command.Flags, command.Parent.Flags) {
		words = append(words, "--"+flag.Name)
	}
	if len(command.Positional) > 0 {
		words = append(words, shells...)
	}
	return words
}

// brief is the first clause of a help text, fit for single quotes in any of the shells and for the brackets of zsh.
func brief(help string) string {
	if end := strings.IndexAny(help, ";:"); end > 0 {
		help = help[:end]
	}
	return strings.NewReplacer("'", "’", "[", "(", "]", ")").Replace(help)
}

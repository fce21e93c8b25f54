package main

import (
	"reflect"

	"github.com/alecthomas/kong"

	"demo-server/configs"
	"demo-server/modes"
)

// grammar is the command line, but for the flags of the settings: newParser adds those, from the table of configs, to
// the commands tagged settings.
type grammar struct {
	Help bool `short:"h" help:"show help, of the command where one is named"`

	Serve      serveCommand      `cmd:"" settings:"" default:"withargs" help:"serve until it is stopped; the default command"`
	Modes      modesCommand      `cmd:"" help:"list the modes: what each does, and what it stands for"`
	Config     configCommand     `cmd:"" settings:"" help:"print the settings in force as YAML, each with its source"`
	Health     healthCommand     `cmd:"" settings:"" help:"ask a running server whether it is healthy; exit code 0 or 1"`
	Version    versionCommand    `cmd:"" help:"print the version"`
	Completion completionCommand `cmd:"" help:"print a completion script for bash, zsh or fish"`
}

// newParser builds the parser of the whole command line. Its help is ours (help.go), so that it knows the settings.
func newParser() *kong.Kong {
	return kong.Must(&grammar{}, kong.Name(program), kong.NoDefaultHelp(), kong.PostBuild(addSettings))
}

func addSettings(parser *kong.Kong) error {
	for _, command := range parser.Model.Children {
		if takesSettings(command) {
			command.Flags = append(command.Flags, settingFlags()...)
		}
	}
	return nil
}

func takesSettings(command *kong.Node) bool { return command.Tag.Has("settings") }

// settingFlags makes a flag of every setting.
func settingFlags() (flags []*kong.Flag) {
	for _, setting := range configs.Table(modes.Names()) {
		value := &kong.Value{
			Name: setting.Name, Help: setting.Help, Default: setting.Default,
			Mapper: settingValue{setting}, Tag: &kong.Tag{}, Target: reflect.ValueOf(new(string)).Elem(),
		}
		flag := &kong.Flag{
			Value: value, Group: &kong.Group{Key: setting.Group, Title: setting.Group},
			PlaceHolder: setting.Placeholder,
		}
		value.Flag = flag
		flags = append(flags, flag)
	}
	return flags
}

// settingValue lets kong take the text of a setting, whatever it is, and no more: configs.Load checks it, together with
// that of the other sources.
type settingValue struct{ configs.Setting }

// Decode takes the text off the command line.
func (settingValue) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	return ctx.Scan.PopValueInto("value", target.Addr().Interface())
}

// IsBool tells kong that the flag needs no value.
func (v settingValue) IsBool() bool { return v.Switch }

// known lists the only values that a flag or an argument can have, or nil.
func known(value *kong.Value) []string {
	if setting, ok := value.Mapper.(settingValue); ok {
		return setting.Known
	}
	if value.Enum != "" {
		return value.EnumSlice()
	}
	return nil
}

// serveCommand has all the settings, and no flags of its own.
type serveCommand struct{}

// Run serves.
func (serveCommand) Run(s *streams, settings *configs.Settings) error {
	if code := serve(settings, s.out, s.errOut); code != exitOK {
		return silentError(code)
	}
	return nil
}

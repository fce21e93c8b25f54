package cli

import (
	"cmp"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"go.uber.org/zap"

	"demo-server/configs"
	"demo-server/internal/benchspec"
	"demo-server/internal/catalog"
	"demo-server/internal/obslog"
	"demo-server/internal/service"
	"demo-server/internal/service/supervisor"
)

// grammar is the command line, but for the flags of the settings: newParser adds those, from the table of configs, to
// the commands tagged settings.
type grammar struct {
	Help bool `short:"h" help:"show help, of the command where one is named"`

	Serve      serveCommand      `cmd:"" settings:"" default:"withargs" help:"serve until it is stopped; the default command"`
	Bench      benchCommand      `cmd:"" help:"the pressure test: every mode side by side, predicted and measured"`
	Backend    backendCommand    `cmd:"" help:"serve what --work=http and --work=grpc wait for"`
	Modes      modesCommand      `cmd:"" help:"list the modes: what each does, and what it stands for"`
	Config     configCommand     `cmd:"" settings:"" help:"print the settings in force as YAML, each with its source"`
	Health     healthCommand     `cmd:"" settings:"" help:"ask a running server whether it is healthy; exit code 0 or 1"`
	Version    versionCommand    `cmd:"" help:"print the version"`
	Completion completionCommand `cmd:"" help:"print a completion script for bash, zsh or fish"`
}

// newParser builds the parser of the whole command line. Its help is ours (help.go), so that it knows the settings.
func newParser() *kong.Kong {
	return kong.Must(&grammar{}, kong.Name(program), kong.NoDefaultHelp(), kong.PostBuild(finish),
		kong.KindMapper(reflect.Int, kong.MapperFunc(decodeNumber)),
		kong.TypeMapper(reflect.TypeFor[time.Duration](), kong.MapperFunc(decodeDuration)))
}

// finish adds what the tags of the grammar leave out.
func finish(parser *kong.Kong) error {
	for _, command := range parser.Model.Leaves(false) {
		for _, flag := range command.Flags {
			flag.PlaceHolder = cmp.Or(flag.PlaceHolder, placeholder(flag.Target.Interface()))
		}
		if takesSettings(command) {
			command.Flags = append(command.Flags, settingFlags(chosen(command))...)
		}
	}
	return nil
}

// placeholder stands for a value of the type in help.
func placeholder(value any) string {
	switch value.(type) {
	case int:
		return "N"
	case time.Duration, benchspec.Timeout:
		return "DURATION"
	case benchspec.FileName:
		return "FILE"
	case benchspec.Margin:
		return "PERCENT"
	}
	return ""
}

func takesSettings(command *kong.Node) bool { return command.Tag.Has("settings") }

// chosen are the settings that a command takes from no source, because it chooses them itself: the name of each, and
// why.
func chosen(command *kong.Node) map[string]string {
	if chooser, ok := target(command).(interface{ chooses() map[string]string }); ok {
		return chooser.chooses()
	}
	return nil
}

// target is the part of the grammar that a command is made of.
func target(command *kong.Node) any { return command.Target.Addr().Interface() }

// decodeNumber reads a whole number within the tag in, such as in:"1..100".
func decodeNumber(ctx *kong.DecodeContext, target reflect.Value) error {
	return decode(ctx, target, strconv.Atoi, configs.Number)
}

// decodeDuration reads a duration within the tag in, such as in:"1s..1h".
func decodeDuration(ctx *kong.DecodeContext, target reflect.Value) error {
	return decode(ctx, target, time.ParseDuration, configs.Duration)
}

func decode[T int | time.Duration](ctx *kong.DecodeContext, target reflect.Value,
	limit func(text string) (T, error), parse func(text string, lowest, highest T) (T, error)) error {
	from, to, _ := strings.Cut(ctx.Value.Tag.Get("in"), "..")
	lowest, wrongFrom := limit(from)
	highest, wrongTo := limit(to)
	if err := errors.Join(wrongFrom, wrongTo); err != nil {
		panic(err) // the grammar is wrong, not the command line
	}
	var text string
	if err := ctx.Scan.PopValueInto("value", &text); err != nil {
		return err
	}
	value, err := parse(text, lowest, highest)
	target.SetInt(int64(value))
	return err
}

// settingFlags makes a flag of every setting but those to leave out.
func settingFlags(without map[string]string) (flags []*kong.Flag) {
	for _, setting := range catalog.Configs().Table() {
		if _, out := without[setting.Name]; out {
			continue
		}
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
	if enum, ok := value.Target.Interface().(interface{ Choices() []string }); ok {
		return enum.Choices()
	}
	return nil
}

// serveCommand has all the settings, and no flags of its own.
type serveCommand struct{}

// Run serves, in this process or in several.
func (serveCommand) Run(s *streams, settings *configs.Settings, l *line) error {
	obslog.IgnoreBrokenPipe()
	service.ServeInBackground()
	sink := obslog.New(settings.LogLevel, settings.LogFormat, s.errOut, obslog.IsTerminal(s.errOut))
	defer sink.Close()
	logger := sink.Logger()
	defer obslog.RedirectStdLog(logger)()
	service.Warn(logger, settings)
	sockets, err := service.SystemdSockets()
	if err != nil {
		logger.Error("cannot start", zap.Error(err))
		return silentError(exitFailure)
	}
	if names := sockets.Replaces(settings); len(names) > 0 {
		logger.Warn("systemd listens: these settings have no effect", zap.Strings("settings", names))
	}
	if settings.Processes > 0 {
		err = supervisor.Run(supervisor.Config{
			Settings: settings, Reload: func() (*configs.Settings, error) { return l.loadSettings() }, Sockets: sockets, Sink: sink,
			Logger: logger,
		})
	} else {
		err = service.Serve(service.Config{Settings: settings, Sockets: sockets, Sink: sink, Logger: logger})
	}
	if err != nil {
		return silentError(exitFailure)
	}
	return nil
}

package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"demo-server/configs"
	"demo-server/work/kinds"
)

// indent is the column at which help's explanations begin.
const indent = 34

// printHelp prints the help of a command. That of serve, the default command, is the program's.
func printHelp(out io.Writer, app, command *kong.Node) {
	if command == app.DefaultCmd {
		printProgram(out, app)
	} else {
		printCommand(out, command)
	}
	printFlags(out, slices.Concat(app.Flags, command.Flags))
}

func printCommand(out io.Writer, command *kong.Node) {
	group := named(command)
	usage := "Usage:"
	for _, one := range slices.Concat([]*kong.Node{command}, visible(group)) {
		fmt.Fprintf(out, "%s %s%s [flags]\n", usage, path(one), argumentNames(one))
		usage = "      "
	}
	fmt.Fprint(out, "\n"+columns("", 0, sentence(group.Help)))
	if command.Detail != "" {
		fmt.Fprint(out, "\n"+command.Detail)
	}
	if len(group.Children) > 0 {
		fmt.Fprintln(out, "\nCommands:")
		printCommands(out, group)
	}
}

// printCommands lists the commands below another, each followed by those below it.
func printCommands(out io.Writer, above *kong.Node) {
	for _, command := range visible(above) {
		printRow(out, command.Path()+argumentNames(command), command.Help)
		printCommands(out, command)
	}
}

func printProgram(out io.Writer, app *kong.Node) {
	fmt.Fprintf(out, `Usage: %[1]s [serve] [flags]
       %[1]s COMMAND [flags]

Serves an endpoint that blocks, then says hello, under a concurrency model of your choice.

Examples:
  %[1]s                               # http://127.0.0.1:7779, a goroutine each
  %[1]s --mode=pool --workers=10      # ten at a time, the others queue
  %[1]s --mode=pool --processes=2     # two worker processes under a supervisor
  %[1]s --mode=eventloop --work=block # what an event loop does with calls that really block
  %[1]s config --preset=small-pool    # what is in force with a preset, and why
  %[1]s bench                         # every mode under the same load, and what to make of it

`, program)
	fmt.Fprintln(out, "Commands:")
	printCommands(out, app)
	fmt.Fprintln(out, "\nModes (--mode):")
	for _, row := range modeRows() {
		if !row.Supported {
			row.Summary += " (not on this system: " + row.Reason + ")"
		}
		printRow(out, row.Name, row.Summary)
	}
	fmt.Fprintln(out, "\nWork, for the delay of each request (--work):")
	for _, kind := range kinds.All {
		printRow(out, kind.Name, kind.Summary)
	}
	fmt.Fprint(out, requestHelp)
	fmt.Fprintln(out, "\nPresets (--preset):")
	for _, preset := range configs.Presets() {
		printRow(out, preset.Name, preset.Summary)
	}
	fmt.Fprintln(out)
	fmt.Fprint(out, columns("", 0, "Each setting is a flag, an environment variable, and a key of a YAML file, which is"+
		" the flag without its dashes. Flags override the environment, which overrides the file, which overrides the"+
		" preset, which overrides the defaults."))
}

// requestHelp is what a request may ask for.
const requestHelp = `
What a request may ask for, as in /?delay=300ms&status=503:10 (a weight is a percentage):
  delay=300ms, lognormal(2s,0.3), uniform(1s,3s), exp(2s)   status=503   size=64KiB   work=cpu
  drip=5 (pieces, over the delay)   abort=reset, close, hang   retry_after=3
  and, as in httpbin, /delay/SECONDS, /status/CODE, /bytes/N, /drip
`

func argumentNames(command *kong.Node) (names string) {
	for _, argument := range command.Positional {
		name := strings.ToUpper(argument.Name)
		if argument.IsCumulative() {
			name = "[" + name + "...]"
		}
		names += " " + name
	}
	return names
}

// printFlags prints flags with a heading before each group; those without a group are the command's own, and come
// first.
func printFlags(out io.Writer, flags []*kong.Flag) {
	heading := ""
	for _, flag := range flags {
		group := "Flags"
		if flag.Group != nil {
			group = flag.Group.Title
		}
		if group != heading {
			heading = group
			fmt.Fprintf(out, "\n%s:\n", heading)
		}
		printRow(out, flagUsage(flag), flagHelp(flag))
	}
}

func printRow(out io.Writer, left, right string) { fmt.Fprint(out, columns("  "+left, indent, right)) }

// flagUsage is how a flag is written.
func flagUsage(flag *kong.Flag) string {
	usage := "--" + flag.Name
	if flag.Short != 0 {
		usage = "-" + string(flag.Short) + ", " + usage
	}
	if flag.IsBool() {
		return usage
	}
	return usage + "=" + flag.PlaceHolder
}

// flagHelp is what a flag is for, its known values, its default and its environment variable.
func flagHelp(flag *kong.Flag) string {
	help := flag.Help
	if values := known(flag.Value); values != nil && !flag.IsBool() {
		help += " [" + strings.Join(values, "|") + "]"
	}
	var facts []string
	if flag.Default != "" {
		facts = append(facts, "default "+flag.Default)
	}
	if setting, ok := flag.Mapper.(settingValue); ok {
		facts = append(facts, "$"+setting.Variable())
	}
	if facts == nil {
		return help
	}
	return help + " (" + strings.Join(facts, ", ") + ")"
}

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }

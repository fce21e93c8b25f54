package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"demo-server/configs"
	"demo-server/work/kinds"
)

// indent is the column at which the explanations in help begin.
const indent = 34

// printHelp prints the help of a command. The help of the root command is that of the program.
func printHelp(out io.Writer, command *cobra.Command) {
	if command.HasParent() {
		printCommand(out, command)
	} else {
		printProgram(out, command)
	}
	printFlags(out, command)
}

func printCommand(out io.Writer, command *cobra.Command) {
	fmt.Fprintf(out, "Usage: %s [flags]\n", command.UseLine())
	for _, below := range listed(command) {
		fmt.Fprintf(out, "       %s [flags]\n", below.UseLine())
	}
	fmt.Fprint(out, "\n"+columns("", 0, sentence(command.Short)))
	if command.Long != "" {
		fmt.Fprint(out, "\n"+command.Long)
	}
	if command.HasAvailableSubCommands() {
		fmt.Fprintln(out, "\nCommands:")
		printCommands(out, command)
	}
}

// printCommands lists the commands below another, recursively.
func printCommands(out io.Writer, above *cobra.Command) {
	for _, command := range listed(above) {
		use, _, _ := strings.Cut(strings.TrimPrefix(command.UseLine(), program+" "), " [") // without optional arguments
		printRow(out, use, command.Short)
		printCommands(out, command)
	}
}

func printProgram(out io.Writer, root *cobra.Command) {
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
	printCommands(out, root)
	fmt.Fprintln(out, "\nModes (--mode):")
	for _, row := range modeInfos() {
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

// requestHelp lists the overrides of a request.
const requestHelp = `
What a request may ask for, as in /?delay=300ms&status=503:10 (a weight is a percentage):
  delay=300ms, lognormal(2s,0.3), uniform(1s,3s), exp(2s)   status=503   size=64KiB   work=cpu
  drip=5 (pieces, over the delay)   abort=reset, close, hang   retry_after=3
  and, as in httpbin, /delay/SECONDS, /status/CODE, /bytes/N, /drip
`

// printFlags prints the flags of a command, with a heading before each group of them.
func printFlags(out io.Writer, command *cobra.Command) {
	heading := ""
	command.Flags().VisitAll(func(flag *pflag.Flag) {
		v := flag.Value.(*value)
		group := v.heading
		if group == "" {
			group = "Flags"
		}
		if group != heading {
			heading = group
			fmt.Fprintf(out, "\n%s:\n", heading)
		}
		printRow(out, flagUsage(flag), v.explanation())
	})
}

func printRow(out io.Writer, left, right string) { fmt.Fprint(out, columns("  "+left, indent, right)) }

// flagUsage returns how a flag is written.
func flagUsage(flag *pflag.Flag) string {
	usage := "--" + flag.Name
	if flag.Shorthand != "" {
		usage = "-" + flag.Shorthand + ", " + usage
	}
	if flag.NoOptDefVal != "" {
		return usage
	}
	return usage + "=" + flag.Value.(*value).placeholder
}

// explanation returns the help of a flag with its choices, its default and its environment variable.
func (v *value) explanation() string {
	help := v.help
	if v.choices != nil {
		help += " [" + strings.Join(v.choices, "|") + "]"
	}
	var facts []string
	if v.fallback != "" {
		facts = append(facts, "default "+v.fallback)
	}
	if v.variable != "" {
		facts = append(facts, "$"+v.variable)
	}
	if facts == nil {
		return help
	}
	return help + " (" + strings.Join(facts, ", ") + ")"
}

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }

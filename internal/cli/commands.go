package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"demo-server/configs"
	"demo-server/internal/catalog"
)

// A commandSpec describes a command of the program.
type commandSpec struct {
	use, short, long string            // use is the name and the arguments
	flags            func(*flagSet)    // adds the command's own flags
	settings         bool              // the settings are flags of the command, too
	reserved         map[string]string // the settings that the command chooses itself, with the reason
	arguments        []argument
	check            func(*commandLine) // reports flags that do not go together; it may change their values
	run              func(*streams, *configs.Settings, *commandLine) error
}

// An argument is a word that a command takes.
type argument struct {
	name    string
	want    string   // help
	choices []string // the only values, or nil
	file    bool     // is completed with the names of files
	repeats bool     // takes any number of words; only as the last argument
	set     func(text string) error
}

// newRoot returns the commands for one command line. The root command does the same as serve.
func newRoot(l *commandLine, s *streams) *cobra.Command {
	serve := newServe()
	root := serve.build(l, s)
	root.Use = program + " [serve]"
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.TraverseChildren = l.completes // to complete commands after flags
	root.SetOut(s.out)
	root.SetErr(s.errOut)
	root.SetArgs(l.args)
	root.SetHelpFunc(func(command *cobra.Command, _ []string) { printHelp(s.out, helpOf(command)) })
	root.SetHelpCommand(&cobra.Command{
		Use: "help", Short: "show help", Hidden: true, DisableFlagParsing: true,
		ValidArgsFunction: func(_ *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			above, _, _ := root.Find(args)
			return startingWith(word, namesBelow(above)), cobra.ShellCompDirectiveNoFileComp
		},
		Run: func(_ *cobra.Command, args []string) {
			command, _, _ := root.Find(args)
			command.Help()
		},
	})
	bench := newBench().build(l, s)
	bench.AddCommand(newBenchDiff().build(l, s), newBenchCost().build(l, s))
	root.AddCommand(serve.build(l, s), bench)
	for _, c := range []commandSpec{newBackend(), newModes(), newConfig(), newHealth(), newVersion(), newCompletion(root)} {
		root.AddCommand(c.build(l, s))
	}
	return root
}

// build returns the cobra.Command of c. cobra finds the command and completes lines. l reads the flags, because it
// reports all mistakes and cobra only the first.
func (c commandSpec) build(l *commandLine, s *streams) *cobra.Command {
	built := &cobra.Command{
		Use: c.use, Short: c.short, Long: c.long, Args: cobra.ArbitraryArgs, ValidArgsFunction: c.complete,
		DisableFlagsInUseLine: true, DisableFlagParsing: !l.completes,
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
	}
	built.Flags().SortFlags = false
	f := &flagSet{command: built, completes: l.completes}
	var help bool
	f.toggle(&help, "help,h", "show help, of the command where one is named")
	if c.flags != nil {
		c.flags(f)
	}
	if c.settings {
		f.addSettings(l, c.reserved)
	}
	built.RunE = func(_ *cobra.Command, args []string) error {
		l.parse(built, c.reserved, args)
		if help {
			return pflag.ErrHelp
		}
		l.takeArguments(c.arguments)
		settings, err := l.finish(c)
		if err != nil {
			return err
		}
		return c.run(s, settings, l)
	}
	return built
}

// finish returns the settings, which are nil if the command does not take any, or all mistakes in the line.
func (l *commandLine) finish(c commandSpec) (settings *configs.Settings, err error) {
	if c.check != nil {
		c.check(l)
	}
	if c.settings {
		if settings, err = l.Settings(); err != nil {
			l.errorf("%s", err)
		}
	}
	if l.errs != nil {
		return nil, l.errs
	}
	return settings, nil
}

// complete returns the values of the next argument.
func (c commandSpec) complete(_ *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) >= len(c.arguments) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	next := c.arguments[len(args)]
	if next.file {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return startingWith(word, next.choices), cobra.ShellCompDirectiveNoFileComp
}

func startingWith(prefix string, words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(word string) bool { return !strings.HasPrefix(word, prefix) })
}

// calledAs returns the words that call a command. For the root command, they name serve.
func calledAs(command *cobra.Command) string {
	if !command.HasParent() {
		return program + " serve"
	}
	return command.CommandPath()
}

// helpOf returns the command that explains another: the root command explains serve, and others explain themselves.
func helpOf(command *cobra.Command) *cobra.Command {
	if calledAs(command) == calledAs(command.Root()) {
		return command.Root()
	}
	return command
}

// listed returns the commands below another, without help.
func listed(above *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(above.Commands()), func(c *cobra.Command) bool { return !c.IsAvailableCommand() })
}

// namesBelow returns the names of the commands below another.
func namesBelow(above *cobra.Command) (names []string) {
	for _, command := range listed(above) {
		names = append(names, command.Name())
	}
	return names
}

func settingNames() (names []string) {
	for _, setting := range catalog.Configs().Table() {
		names = append(names, setting.Name)
	}
	return names
}

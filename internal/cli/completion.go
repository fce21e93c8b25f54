package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"demo-server/configs"
)

// shells are the shells with a completion script. The scripts ask the program for completions.
var shells = []string{"bash", "zsh", "fish", "powershell"}

func newCompletion(root *cobra.Command) commandSpec {
	var shell string
	return commandSpec{
		use: "completion SHELL", short: "print a completion script for bash, zsh, fish or PowerShell",
		long: completionHelp,
		arguments: []argument{{
			name: "SHELL", choices: shells,
			set: func(text string) error {
				shell = strings.Replace(text, "pwsh", "powershell", 1)
				return configs.OneOf(shell, shells)
			},
		}},
		run: func(s *streams, _ *configs.Settings, _ *commandLine) error {
			switch shell {
			case "bash":
				return root.GenBashCompletionV2(s.out, true)
			case "zsh":
				return root.GenZshCompletion(s.out)
			case "fish":
				return root.GenFishCompletion(s.out, true)
			}
			return root.GenPowerShellCompletionWithDesc(s.out)
		},
	}
}

const completionHelp = `The script asks this program for the words that fit, so that it need not be printed again when the
program changes. To use it in this session only:

  bash        source <(demo-server completion bash)      # needs the package bash-completion
  zsh         source <(demo-server completion zsh)
  fish        demo-server completion fish | source
  PowerShell  demo-server completion powershell | Out-String | Invoke-Expression
`

package cli

import (
	"fmt"

	"demo-server/configs"
	"demo-server/internal/catalog"
)

// newConfig returns the command that prints the settings in force, as YAML that --config takes again. Warnings go to
// standard error.
func newConfig() commandSpec {
	return commandSpec{
		use: "config", short: "print the settings in force as YAML, each with its source", settings: true,
		run: func(s *streams, settings *configs.Settings, _ *commandLine) error {
			for _, warning := range catalog.Configs().Warnings(settings) {
				fmt.Fprintf(s.errOut, "%s: warning: %s\n", program, warning)
			}
			_, err := s.out.Write(settings.YAML())
			return err
		},
	}
}

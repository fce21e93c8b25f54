package cli

import (
	"fmt"

	"demo-server/configs"
	"demo-server/internal/catalog"
)

// configCommand prints the settings in force.
type configCommand struct{}

// Run prints settings as YAML that --config takes again, and warnings beside it.
func (configCommand) Run(s *streams, settings *configs.Settings) error {
	for _, warning := range catalog.Configs().Warnings(settings) {
		fmt.Fprintf(s.errOut, "%s: warning: %s\n", program, warning)
	}
	_, err := s.out.Write(settings.YAML())
	return err
}

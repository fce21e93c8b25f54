//go:build linux

package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"demo-server/internal/testkit/golden"
)

// TestSurface holds the help of every command with all its flags, the modes as JSON, and the settings as YAML. A change
// here is a change for users, and belongs into CHANGELOG.md. What else users see is held by the test of the same name in
// the root folder. Other systems cannot run all modes, and their help says so.
func TestSurface(t *testing.T) {
	commands := []string{"--help", "modes --json", "config"}
	configureLibraries()
	var add func(above *cobra.Command)
	add = func(above *cobra.Command) {
		for _, command := range listed(above) {
			commands = append(commands, strings.TrimPrefix(command.CommandPath(), program+" ")+" --help")
			add(command)
		}
	}
	add(newRoot(newCommandLine(nil, nil), &streams{}))
	var got bytes.Buffer
	for _, command := range commands {
		got.WriteString("$ " + program + " " + command + "\n")
		Main(strings.Fields(command), nil, &got, &got)
	}
	golden.File(t, "testdata/surface.txt", got.String())
}

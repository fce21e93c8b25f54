//go:build linux

package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"demo-server/internal/testkit/golden"
)

// TestSurface checks the help of every command with all its flags, the modes as JSON, and the settings as YAML against
// a golden file. A change of that file is a change for users, and belongs in CHANGELOG.md. The test of the same name in
// the root folder covers everything else that users see. It runs on Linux only, because help differs on systems that
// cannot run all modes.
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

//go:build !unix

package cli

import "io"

// terminalWidth is how many characters a line of the terminal has.
func terminalWidth(io.Writer) int { return defaultWidth }

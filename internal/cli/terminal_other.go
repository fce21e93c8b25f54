//go:build !unix

package cli

import "io"

// terminalWidth returns the number of characters in a line of the terminal.
func terminalWidth(io.Writer) int { return defaultWidth }

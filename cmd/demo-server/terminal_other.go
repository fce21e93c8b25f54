//go:build !unix

package main

import "io"

// terminalWidth is how many characters a line of the terminal has.
func terminalWidth(io.Writer) int { return usualWidth }

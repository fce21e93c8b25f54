// Command demo-server serves an endpoint that blocks under a concurrency model of your choice. See demo-server --help.
package main

import (
	"os"

	"demo-server/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Environ(), os.Stdout, os.Stderr)) }

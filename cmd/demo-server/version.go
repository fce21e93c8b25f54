package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// versionCommand prints what the binary was built from.
type versionCommand struct{}

// Run prints the module's version, its revision where the build knew it, and Go's.
func (versionCommand) Run(s *streams) error {
	build, _ := debug.ReadBuildInfo()
	printVersion(s.out, build)
	return nil
}

// printVersion prints a build, which is nil where the binary holds nothing about it.
func printVersion(out io.Writer, build *debug.BuildInfo) {
	if build == nil {
		build = &debug.BuildInfo{}
	}
	version := build.Main.Version
	if version == "" || version == "(devel)" {
		version = "devel"
	}
	fmt.Fprintf(out, "%s %s\n", program, version)
	if revision := setting(build, "vcs.revision"); revision != "" {
		if setting(build, "vcs.modified") == "true" {
			revision += " (modified)"
		}
		fmt.Fprintf(out, "revision %s\n", revision)
	}
	fmt.Fprintf(out, "%s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// setting returns one of the settings that the binary was built with, or "".
func setting(build *debug.BuildInfo, key string) string {
	for _, setting := range build.Settings {
		if setting.Key == key {
			return setting.Value
		}
	}
	return ""
}

package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"demo-server/configs"
)

// newVersion returns the command that prints the version of the program.
func newVersion() commandSpec {
	return commandSpec{
		use: "version", short: "print the version",
		run: func(s *streams, _ *configs.Settings, _ *commandLine) error {
			build, _ := debug.ReadBuildInfo()
			printVersion(s.out, build)
			return nil
		},
	}
}

// printVersion prints the version of the module, its revision if known, and the version of Go. build is nil if the
// binary does not contain build information.
func printVersion(out io.Writer, build *debug.BuildInfo) {
	version, revision := versionOf(build)
	fmt.Fprintf(out, "%s %s\n", program, version)
	if revision != "" {
		fmt.Fprintf(out, "revision %s\n", revision)
	}
	fmt.Fprintf(out, "%s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// versionOf returns the version of a build, and its revision, or "" if that is not known.
func versionOf(build *debug.BuildInfo) (version, revision string) {
	if build == nil {
		return "devel", ""
	}
	version = build.Main.Version
	if version == "" || version == "(devel)" {
		version = "devel"
	}
	revision = buildSetting(build, "vcs.revision")
	if revision != "" && buildSetting(build, "vcs.modified") == "true" {
		revision += " (modified)"
	}
	return version, revision
}

// ownVersion returns the version and the revision of this program in one line.
func ownVersion() string {
	build, _ := debug.ReadBuildInfo()
	version, revision := versionOf(build)
	return strings.TrimSpace(version + " " + revision)
}

// buildSetting returns one of the settings of the build, or "".
func buildSetting(build *debug.BuildInfo, key string) string {
	for _, setting := range build.Settings {
		if setting.Key == key {
			return setting.Value
		}
	}
	return ""
}

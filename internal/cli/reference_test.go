//go:build linux

package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"demo-server/configs"
	"demo-server/internal/catalog"
	"demo-server/internal/testkit/golden"
	"demo-server/modes"
	"demo-server/work"
	"demo-server/work/kinds"
)

const reference = "../../docs/reference/"

// TestSettingsReference writes the table of settings.
func TestSettingsReference(t *testing.T) {
	c := catalog.Configs()
	var page strings.Builder
	group := ""
	for _, s := range c.Table() {
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(&page, "\n### %s\n\n| setting | variable | default | values | meaning | read by |\n|---|---|---|---|---|---|\n", group)
		}
		values := s.Want()
		if s.Known != nil {
			values = code(s.Known...)
		}
		fmt.Fprintf(&page, "| `%s` | `%s` | %s | %s | %s | %s |\n", s.Name, s.Variable(), code(s.Default), cell(values), cell(s.Help), readersOf(c, s.Name))
	}
	page.WriteString("\n")
	golden.Block(t, reference+"settings.md", "settings", page.String())
}

// readersOf returns the modes and kinds of work that read a setting, if not all do.
func readersOf(c configs.Catalog, setting string) string {
	var names []string
	for _, choice := range slices.Concat(c.Modes, c.Works) {
		if slices.Contains(choice.Settings, setting) {
			names = append(names, choice.Name)
		}
	}
	return code(names...)
}

// TestCommandsReference writes the help of all commands.
func TestCommandsReference(t *testing.T) {
	configureLibraries()
	root := newRoot(newCommandLine(nil, nil), &streams{})
	var page bytes.Buffer
	var add func(command *cobra.Command)
	add = func(command *cobra.Command) {
		fmt.Fprintf(&page, "\n## %s\n\n```\n", command.CommandPath())
		Main(append(strings.Fields(command.CommandPath())[1:], "--help"), nil, &page, &page)
		page.WriteString("```\n")
		for _, below := range listed(command) {
			if helpOf(below) == below { // serve has the help of the program
				add(below)
			}
		}
	}
	add(root)
	page.WriteString("\n")
	golden.Block(t, reference+"commands.md", "commands", page.String())
}

// TestModesReference writes the tables of modes and of kinds of work.
func TestModesReference(t *testing.T) {
	settings, err := configs.Load(configs.Inputs{Catalog: catalog.Configs()})
	if err != nil {
		t.Fatal(err)
	}
	limitations := outsideLinux(t)
	var page strings.Builder
	for _, m := range modes.All {
		settings.Mode = m.Name
		i := catalog.Mode(settings)
		fmt.Fprintf(&page, "\n### %s\n\n| | |\n|---|---|\n", m.Name)
		for _, row := range [][2]string{
			{"what it is", m.Summary},
			{"choose it", m.Choose},
			{"limit", limitWords(i.Limit)},
			{"limit on work that holds a thread or a core", limitWords(i.Offload)},
			{"overflow", string(i.Limit.Overflow)},
			{"keeps connections", yes(i.Capabilities.KeepsAlive)},
			{"notices disconnects", yes(i.Capabilities.SeesDisconnect)},
			{"settings", code(m.Settings...)},
			{"Python equivalent", m.PythonEquivalent},
			{"differences", m.Differences},
			{"missing on other systems than Linux", limitations[m.Name]},
		} {
			if row[1] != "" {
				fmt.Fprintf(&page, "| %s | %s |\n", row[0], cell(row[1]))
			}
		}
	}
	page.WriteString("\n")
	golden.Block(t, reference+"modes.md", "modes", page.String())

	page.Reset()
	page.WriteString("\n| kind | a request | holds | limit, in each process | a request may ask for it | settings |\n|---|---|---|---|---|---|\n")
	for _, k := range kinds.All {
		limit := limitOf(k.Limit(catalog.WorkOptions(settings)), k.Settings)
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s | %s | %s |\n", k.Name, cell(k.Summary), k.Holds, limit, yes(!k.SideEffects), code(k.Settings...))
	}
	page.WriteString("\n")
	golden.Block(t, reference+"modes.md", "kinds", page.String())
}

// outsideLinux returns what each mode cannot do on other systems, from the source: on Linux, Mode.Limitations is empty.
func outsideLinux(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{"eventloop": "all of it"}
	files, _ := filepath.Glob("../../modes/*.go")
	mode := regexp.MustCompile(`(?s)Name: +"(\w+)".*outsideLinux\("([^"]*)"\)`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if found := mode.FindSubmatch(text); found != nil {
			all[string(found[1])] = string(found[2])
		}
	}
	return all
}

func limitWords(l modes.Limit) string {
	switch {
	case l.N == 0 && l.Overflow == modes.Admit:
		return "none"
	case l.N == 0:
		return ""
	case l.Unit == "":
		return fmt.Sprintf("%d at a time", l.N)
	}
	return fmt.Sprintf("`%s`, a %s each", l.Setting, l.Unit)
}

// limitOf names the setting that a kind's limit comes from: the one whose default it has.
func limitOf(l work.Limit, settings []string) string {
	switch {
	case l.N == 0:
		return "none"
	case l.Shared:
		return l.Unit + "s, which all requests share"
	}
	for _, s := range catalog.Configs().Table() {
		if slices.Contains(settings, s.Name) && s.Default == fmt.Sprint(l.N) {
			return fmt.Sprintf("`%s` %ss", s.Name, l.Unit)
		}
	}
	return fmt.Sprintf("%d %ss", l.N, l.Unit)
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// code returns words as Markdown code.
func code(words ...string) string {
	var all []string
	for _, word := range words {
		if word != "" {
			all = append(all, "`"+cell(word)+"`")
		}
	}
	return strings.Join(all, ", ")
}

// cell returns a text for a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

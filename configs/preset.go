package configs

import (
	"embed"
	"path"
	"strings"
)

//go:embed *.yaml
var presetFiles embed.FS

// A Preset is a built-in set of settings: one of the YAML files in this folder.
type Preset struct {
	Name    string // the file's name without .yaml
	Summary string // its first line, a comment
}

// Presets returns the presets, sorted by name.
func Presets() (presets []Preset) {
	for _, name := range presetNames() {
		comment, _, _ := strings.Cut(string(readPreset(name)), "\n")
		presets = append(presets, Preset{name, strings.TrimPrefix(comment, "# ")})
	}
	return presets
}

func presetNames() (names []string) {
	entries, err := presetFiles.ReadDir(".")
	if err != nil {
		panic(err) // cannot happen: the root of an embedded file system always exists
	}
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), path.Ext(entry.Name())))
	}
	return names
}

// readPreset returns the YAML of a preset, or nil if there is none of that name.
func readPreset(name string) []byte {
	data, err := presetFiles.ReadFile(name + ".yaml")
	if err != nil {
		return nil
	}
	return data
}

func (l *loader) preset() []input {
	if l.settings.preset == "" {
		return nil
	}
	return l.document(Source{Kind: FromPreset, Name: l.settings.preset}, readPreset(l.settings.preset))
}

package configs

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// YAML returns all settings in force, each with its source in a comment. Load reads the result back as the same
// settings, except for secrets, which are only comments.
func (s *Settings) YAML() []byte {
	var out bytes.Buffer
	group := ""
	for _, setting := range s.table(Catalog{}) {
		if setting.Selector {
			continue
		}
		if setting.Group != group {
			group = setting.Group
			fmt.Fprintf(&out, "\n# %s\n", group)
		}
		fmt.Fprintf(&out, "%-36s # %s\n", setting.yaml(), s.Source(setting.Name))
	}
	return bytes.TrimPrefix(out.Bytes(), []byte("\n"))
}

// shown returns the setting's text, redacted if it is secret.
func (s Setting) shown() string {
	if s.Secret {
		return redacted
	}
	return s.text()
}

// yaml returns the setting's line of YAML.
func (s Setting) yaml() string {
	if s.Secret && s.text() != "" {
		return "# " + s.Name + ": " + s.shown()
	}
	value := &yaml.Node{Kind: yaml.ScalarNode, Value: s.text()}
	if s.isText {
		value.Tag = "!!str"
	}
	if strings.Contains(value.Value, "\n") {
		value.Style = yaml.DoubleQuotedStyle // the only style that keeps to one line
	}
	key := &yaml.Node{Kind: yaml.ScalarNode, Value: s.Name}
	pair := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{key, value}}
	line, err := yaml.Dump(pair, yaml.WithLineWidth(-1))
	if err != nil {
		panic(err) // cannot happen: any pair of scalars can be written
	}
	return strings.TrimSuffix(string(line), "\n")
}

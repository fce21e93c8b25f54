package configs

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// YAML prints all settings in force, each with its source in a comment. Load takes the result as a file again and
// makes the same settings of it, but for secrets, which are no more than comments.
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

// shown is the setting's text as everybody may see it.
func (s Setting) shown() string {
	if s.Secret {
		return redacted
	}
	return s.text()
}

// yaml is the setting's line of YAML.
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
		panic(err) // a pair of scalars can always be written
	}
	return strings.TrimSuffix(string(line), "\n")
}

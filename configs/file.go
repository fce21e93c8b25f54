package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v4"

	"demo-server/units"
)

// maxFile is the largest size of a YAML file of settings, in bytes.
const maxFile = units.MiB

func (l *loader) file(read func(name string) ([]byte, error)) []input {
	name := l.settings.config
	if name == "" {
		return nil
	}
	if read == nil {
		read = readFile
	}
	source := Source{Kind: FromFile, Name: name}
	data, err := read(name)
	if err != nil {
		l.mistake(source, "cannot be read: "+reason(err), "want a YAML file of settings")
		return nil
	}
	if len(data) > maxFile {
		l.mistake(source, "is too large", "want at most "+units.FormatSize(maxFile))
		return nil
	}
	return l.document(source, data)
}

// readFile reads at most one byte more than a file may have, because the file may be endless.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// reason returns the text of err without the name of the file.
func reason(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// document returns the values in a YAML document, which is a mapping of names to scalars. It walks the nodes instead of
// decoding them into a struct, to treat a value from a file like one from a flag, and to report the place of each
// mistake.
func (l *loader) document(source Source, data []byte) (values []input) {
	documents, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		panic(err) // cannot happen: only options can be wrong, and there are none
	}
	var document, next yaml.Node
	if err := documents.Load(&document); err != nil {
		l.unreadable(source, err)
		return nil
	}
	values = l.root(source, &document)
	if err := documents.Load(&next); err != nil {
		l.unreadable(source, err)
	} else {
		l.mistake(at(source, &next), "a second YAML document starts here", "want one")
	}
	return values
}

// unreadable reports why YAML cannot be parsed. The end of the input is not a mistake.
func (l *loader) unreadable(source Source, err error) {
	if errors.Is(err, io.EOF) {
		return
	}
	what := err.Error()
	var place *yaml.LoadError
	if errors.As(err, &place) {
		source.Line, source.Column = place.Mark.Line, place.Mark.Column
		what = strings.TrimSpace(place.Message + " " + place.ContextMsg)
	}
	l.mistake(source, "is not YAML: "+printable(what), "")
}

func at(source Source, node *yaml.Node) Source {
	source.Line, source.Column = node.Line, node.Column
	return source
}

func (l *loader) root(source Source, document *yaml.Node) []input {
	root := document.Content[0]
	switch {
	case root.Kind == yaml.MappingNode:
		return l.mapping(source, root)
	case root.ShortTag() == "!!null": // only comments between document markers
		return nil
	}
	l.mistake(at(source, root), describe(root)+" instead of settings", "want lines such as mode: pool")
	return nil
}

func (l *loader) mapping(source Source, root *yaml.Node) (values []input) {
	lines := map[string]int{} // of the first occurrence, by key
	for i := 0; i < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		setting, known := l.key(at(source, key), key)
		if !known {
			continue
		}
		if line, again := lines[key.Value]; again {
			l.mistake(at(source, key), fmt.Sprintf("%s is on line %d already", key.Value, line), "a key may stand once")
		} else {
			lines[key.Value] = key.Line
		}
		if l.scalar(at(source, value), setting, value) {
			values = append(values, input{setting, value.Value, at(source, value)})
		}
	}
	return values
}

// key returns the setting that a key names. If there is none, it reports that, and ok is false.
func (l *loader) key(source Source, key *yaml.Node) (Setting, bool) {
	if key.Kind != yaml.ScalarNode {
		l.mistake(source, describe(key)+" instead of a key", "want the name of a setting")
		return Setting{}, false
	}
	setting, known := l.byName[key.Value]
	switch {
	case !known:
		l.mistake(source, "unknown key "+Quote(key.Value), l.suggest(key.Value, func(s Setting) string { return s.Name }))
	case setting.Selector:
		l.mistake(source, key.Value+" cannot be set in a file", "use "+setting.Flag()+" or "+setting.Variable())
	}
	return setting, known && !setting.Selector
}

// scalar reports whether a value is a plain one. If not, it records the mistake.
func (l *loader) scalar(source Source, setting Setting, value *yaml.Node) bool {
	if value.Kind == yaml.ScalarNode && value.ShortTag() != "!!null" && value.Style&yaml.TaggedStyle == 0 {
		return true
	}
	l.mistakes = append(l.mistakes, Mistake{
		Source: source, Setting: setting.Name, Problem: describe(value) + " instead of a value",
		Want: `want one plain value, or "" for an empty one`,
	})
	l.wrong[setting.Name] = true
	return false
}

// describe returns the kind of a node, with its article.
func describe(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.MappingNode:
		return "a mapping"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	case node.Kind == yaml.AliasNode:
		return "an alias"
	case node.Style&yaml.TaggedStyle != 0:
		return "a tag"
	case node.ShortTag() == "!!null":
		return "nothing"
	}
	return "a single value"
}

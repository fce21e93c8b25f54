package result

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Write writes the result as indented JSON.
func Write(w io.Writer, r *Result) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // not HTML, and < is easier to read than its escape
	return encoder.Encode(r)
}

// longestFile is how many bytes Read reads at most. An hour of ten rows with ten samples a second takes half of them.
const longestFile = 256 << 20

// Read reads a file that Write wrote. It ignores unknown fields, because a newer program may have added them to the
// schema. It returns an error if the bench cannot have written the file.
func Read(r io.Reader) (*Result, error) { return read(r, longestFile) }

func read(r io.Reader, longest int64) (*Result, error) {
	text, err := io.ReadAll(io.LimitReader(r, longest+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(text)) > longest:
		return nil, fmt.Errorf("not a result of the bench: it has more than %d bytes", longest)
	}
	if err := checkSchema(text); err != nil {
		return nil, err
	}
	if err := checkSize(text); err != nil {
		return nil, fmt.Errorf("not a result of the bench: %w", err)
	}
	var result Result
	if err := json.Unmarshal(text, &result); err != nil {
		return nil, fmt.Errorf("not a result of %s: %.300s", Schema, err) // err quotes values of any length
	}
	if err := result.check(); err != nil {
		return nil, fmt.Errorf("not a result of the bench: %w", err)
	}
	return &result, nil
}

// checkSchema checks only the schema, because other schemas may give any other field another type.
func checkSchema(text []byte) error {
	var is struct {
		Schema string `json:"schema"`
	}
	err := json.Unmarshal(text, &is)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON: %w, at byte %d", err, syntax.Offset)
	case err != nil || is.Schema == "":
		return fmt.Errorf("not a result of the bench: it names no schema; want %s", Schema)
	case is.Schema != Schema:
		return fmt.Errorf("the schema is %q, and this program reads %s", is.Schema, Schema)
	}
	return nil
}

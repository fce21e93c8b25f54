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
	encoder.SetEscapeHTML(false) // it is no HTML, and < is easier to read than its escape
	return encoder.Encode(r)
}

// longestFile is how many bytes Read reads: an hour of ten rows, ten samples a second, takes half of it.
const longestFile = 256 << 20

// Read reads what Write wrote. It takes fields that it does not know for newer ones of the same schema, and ignores
// them. What no run of the bench can have written is an error.
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
		return nil, fmt.Errorf("not a result of %s: %.300s", Schema, err) // which quotes a value, however long that is
	}
	if err := result.check(); err != nil {
		return nil, fmt.Errorf("not a result of the bench: %w", err)
	}
	return &result, nil
}

// checkSchema looks at the schema alone: in another one any other field may be of another type.
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

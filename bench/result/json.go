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

// Read reads what Write wrote. It takes fields that it does not know for newer ones of the same schema, and ignores
// them.
func Read(r io.Reader) (*Result, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if err := checkSchema(text); err != nil {
		return nil, err
	}
	var result Result
	if err := json.Unmarshal(text, &result); err != nil {
		return nil, fmt.Errorf("not a result of %s: %w", Schema, err)
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

package obslog

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// OneLine replaces all invisible characters, for text that others control.
func OneLine(text string) string { return strings.Map(printableRune, text) }

func printableRune(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return unicode.ReplacementChar
}

// sanitize does the same as OneLine, but leaves control characters below space as they are.
func sanitize(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return r
		}
		return printableRune(r)
	}, text)
}

// A printableEncoder removes the characters that a terminal may obey, because others control parts of a line: DEL, the
// C1 control characters, marks of writing direction. zap itself escapes control characters below space, such as line
// ends, except in the message of a console line.
type printableEncoder struct {
	zapcore.Encoder
	console bool
}

// Clone copies the encoder, with the fields that were added to it.
func (e printableEncoder) Clone() zapcore.Encoder {
	return printableEncoder{e.Encoder.Clone(), e.console}
}

// EncodeEntry encodes one line.
func (e printableEncoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	if e.console && strings.ContainsFunc(entry.Message, unicode.IsControl) {
		entry.Message = strings.Trim(strconv.Quote(entry.Message), `"`)
	}
	line, err := e.Encoder.EncodeEntry(entry, fields)
	if err == nil && slices.ContainsFunc(line.Bytes(), func(b byte) bool { return b >= 0x7f }) {
		text := sanitize(line.String())
		line.Reset()
		line.AppendString(text)
	}
	return line, err
}

package cli

import (
	"strings"
	"unicode/utf8"
)

// width is the width of help and lists, in characters.
const width = 100

// columns formats left and the wrapped text in two columns. The second one begins at indent. If left is too long, it
// gets its own line.
func columns(left string, indent int, text string) string {
	var out strings.Builder
	lines := wrap(text, width-indent)
	if left != "" && utf8.RuneCountInString(left) >= indent {
		out.WriteString(left + "\n")
		left = ""
	}
	for i, line := range lines {
		if i > 0 {
			left = ""
		}
		out.WriteString(strings.TrimRight(left+strings.Repeat(" ", indent-utf8.RuneCountInString(left))+line, " ") + "\n")
	}
	return out.String()
}

// wrap breaks text between words into lines of at most limit characters. Longer words stay whole.
func wrap(text string, limit int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line+" "+word) > limit {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

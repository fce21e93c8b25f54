package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"demo-server/configs"
	"demo-server/modes"
)

// newModes returns the command that lists the modes.
func newModes() commandSpec {
	var asJSON bool
	return commandSpec{
		use: "modes", short: "list the modes: what each does, and what it stands for",
		flags: func(f *flagSet) { f.toggle(&asJSON, "json", "print JSON, an array of objects") },
		run:   func(s *streams, _ *configs.Settings, _ *commandLine) error { return printModes(s.out, asJSON) },
	}
}

// A modeInfo is the description of a mode, as printed and as JSON for other programs.
type modeInfo struct {
	Name      string `json:"name"`
	Summary   string `json:"summary"`
	Mirrors   string `json:"python_equivalent"`
	Differs   string `json:"differences"`
	Choose    string `json:"choose"` // when to choose it
	Bound     string `json:"limit"`
	Excess    string `json:"overflow"` // how the mode treats requests beyond the limit
	Lacks     string `json:"limitations"`
	Supported bool   `json:"supported"`
	Reason    string `json:"unsupported_reason"` // why it is not supported; empty if it is
}

func modeInfos() (rows []modeInfo) {
	for _, mode := range modes.All {
		limit := mode.Instance(modes.Options{}).Limit
		row := modeInfo{
			Name: mode.Name, Summary: mode.Summary, Mirrors: mode.PythonEquivalent, Differs: mode.Differences, Choose: mode.Choose,
			Bound: boundOf(limit), Excess: string(limit.Overflow), Lacks: mode.Limitations, Supported: true,
		}
		if err := mode.Supported(); err != nil {
			row.Supported, row.Reason = false, err.Error()
		}
		rows = append(rows, row)
	}
	return rows
}

// boundOf returns the limit of a mode: the name of a setting, "1" for one request at a time, or "none".
func boundOf(limit modes.Limit) string {
	switch {
	case limit.Overflow == modes.Admit:
		return "none"
	case limit.Setting == "":
		return strconv.Itoa(limit.N)
	}
	return limit.Setting
}

// printModes prints the modes as text or as JSON.
func printModes(out io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(modeInfos())
	}
	for i, row := range modeInfos() {
		if i > 0 {
			fmt.Fprintln(out)
		}
		row.print(out)
	}
	return nil
}

func (r modeInfo) print(out io.Writer) {
	fmt.Fprintln(out, r.Name)
	for _, line := range []struct{ label, text string }{
		{"does", r.Summary}, {"choose it", r.Choose}, {"in Python", r.Mirrors}, {"but", r.Differs}, {"limit", r.Bound}, {"overflow", r.Excess}, {"lacks", r.Lacks},
		{"cannot run", r.Reason},
	} {
		if line.text != "" {
			fmt.Fprint(out, columns("  "+line.label, 14, line.text))
		}
	}
}

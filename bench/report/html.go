package report

import (
	_ "embed"
	"html/template"
	"io"
	"slices"
	"strings"

	"demo-server/bench/result"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	style string
)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"when": when, "span": span, "load": loadInWords, "machine": machineInWords, "css": pageStyle, "class": mood.class,
	"name":    name,
	"command": func(words []string) string { return strings.Join(words, " ") },
	"lines":   func(text string) []string { return strings.SplitN(text, "\n", 2) },
}).Parse(pageText))

// A page is what the template is filled with.
type page struct {
	*result.Result
	Title    string
	Tables   []pageTable
	Notes    []noted
	Audits   []audited
	Choices  []choice
	Pictures []Picture
}

// A pageTable has a line for each row, or for each mode's cost.
type pageTable struct {
	Name, Title string
	Note        string       // a sentence in front of it
	Legend      []legendItem // of a heat table
	Heads       []string
	Lines       []tableLine
}

// A tableLine has a cell for each of the heads.
type tableLine struct {
	Name, About string
	Badges      []badge
	Cells       []cell
}

// Text and Mood are for the template.
func (c cell) Text() string { return c.text }

// Small is what stands below the text.
func (c cell) Small() string { return c.small }

// Class is the cell's CSS class.
func (c cell) Class() string {
	if c.shade > 0 {
		return strings.TrimSpace(shadeClass(c.shade) + " " + c.mood.class())
	}
	return c.mood.class()
}

// class is the CSS class of a mood.
func (m mood) class() string {
	return [...]string{calm: "", careful: "careful", alarmed: "alarmed", absent: "absent"}[m]
}

// A badge says in words what a colour alone would not.
type badge struct {
	Text string
	Mood mood
}

// noted is a row with what there is to know of it.
type noted struct {
	Name    string
	Notes   []string
	Failure string
}

// A choice is when to choose a mode.
type choice struct{ Mode, When string }

// choices are those of the modes that have rows, once each.
func choices(rows []result.Row) (all []choice) {
	for _, row := range rows {
		known := func(c choice) bool { return c.Mode == row.Mode }
		if row.Choose != "" && !slices.ContainsFunc(all, known) {
			all = append(all, choice{row.Mode, row.Choose})
		}
	}
	return all
}

// audited is a row with its audits.
type audited struct {
	Name   string
	Audits []result.Audit
}

// HTML writes the result as a page that needs nothing else: no network, no script.
func HTML(w io.Writer, r *result.Result) error {
	pictures, err := Pictures(r)
	if err != nil {
		return err
	}
	p := page{Result: r, Title: "demo-server bench", Pictures: pictures}
	if len(r.Costs) > 0 {
		p.Title = "demo-server bench cost"
		p.costs()
	} else {
		p.rows()
	}
	return pageTemplate.Execute(w, p)
}

func (p *page) rows() {
	p.Tables = []pageTable{
		tableOf("served", "What the clients got", served, p.Result.Rows),
		tableOf("taken", "What the servers took for it", taken, p.Result.Rows),
		tableOf("foretold", "What theory predicted", foretold, p.Result.Rows),
	}
	if heat, ok := heatTable(p.Result); ok {
		p.Tables = slices.Insert(p.Tables, 0, heat)
	}
	p.Choices = choices(p.Result.Rows)
	for _, row := range p.Result.Rows {
		if len(row.Notes) > 0 || row.Failure != "" {
			p.Notes = append(p.Notes, noted{row.Name, row.Notes, row.Failure})
		}
		if len(row.Audits) > 0 {
			p.Audits = append(p.Audits, audited{row.Name, row.Audits})
		}
	}
}

func tableOf(name, title string, columns []column, rows []result.Row) pageTable {
	t := pageTable{Name: name, Title: title}
	for _, column := range columns {
		t.Heads = append(t.Heads, column.title)
	}
	for i := range rows {
		line := tableLine{Name: rows[i].Name, About: rows[i].About, Badges: badges(&rows[i])}
		for _, column := range columns {
			line.Cells = append(line.Cells, column.cell(&rows[i]))
		}
		t.Lines = append(t.Lines, line)
	}
	return t
}

func (p *page) costs() {
	t := pageTable{Name: "costs", Title: "What a blocked request costs"}
	for _, column := range costColumns {
		t.Heads = append(t.Heads, column.title)
	}
	for i := range p.Result.Costs {
		c := &p.Result.Costs[i]
		line := tableLine{Name: c.Name, Cells: costCells(c)[1:]}
		if c.Failure != "" {
			line.Badges = []badge{{"failed", alarmed}}
		}
		t.Lines = append(t.Lines, line)
		if len(c.Notes) > 0 || c.Failure != "" {
			p.Notes = append(p.Notes, noted{c.Name, c.Notes, c.Failure})
		}
	}
	p.Tables = []pageTable{t}
}

// name may be broken after its punctuation.
func name(text string) template.HTML {
	var html []string
	for _, piece := range pieces(clean(text)) {
		html = append(html, template.HTMLEscapeString(piece))
	}
	return template.HTML(strings.Join(html, "<wbr>"))
}

func badges(row *result.Row) (all []badge) {
	if row.Failure != "" {
		all = append(all, badge{"failed", alarmed})
	}
	if !row.Trusted {
		all = append(all, badge{"not trustworthy", alarmed})
	}
	if row.Cut {
		all = append(all, badge{"cut", careful})
	}
	return all
}

// pageStyle is the style of the page, with the shades.
func pageStyle() template.CSS { return template.CSS(variables() + "\n" + style) }

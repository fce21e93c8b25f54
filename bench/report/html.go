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
	"when": when, "span": span, "machine": machineInWords, "css": pageStyle, "class": mood.class, "name": name,
	"lines": func(text string) []string { return strings.SplitN(text, "\n", 2) },
}).Parse(pageText))

// A page holds the data of the template.
type page struct {
	*result.Result
	Title        string
	Run          []headerLine // description of the run
	Rows         []headerLine // meanings of the row names
	Expectations []expected
	Lead         *section // the picture or heat table that is always open; nil without one
	Folds        []section
}

// A section is a figure or list of the page. Exactly one of the fields from Picture on is set.
type section struct {
	ID, Title string
	Gist      string // text next to the title of a closed section; may be empty
	Open      bool

	Picture *Picture
	Table   *pageTable
	Notes   []pageNotes
	Audits  *auditList
	Left    []result.Left
	Choices []choice
}

// A pageNotes holds the notes of a group's rows.
type pageNotes struct {
	Title string
	Rows  []noted
}

// noted is a row with its notes and failure.
type noted struct {
	Name    string
	Notes   []string
	Failure string
}

// A choice holds when to choose a mode.
type choice struct{ Mode, When string }

// choices returns the choices of the modes that have rows, each mode once.
func choices(rows []result.Row) (all []choice) {
	for _, row := range rows {
		known := func(c choice) bool { return c.Mode == row.Mode }
		if row.Choose != "" && !slices.ContainsFunc(all, known) {
			all = append(all, choice{row.Mode, row.Choose})
		}
	}
	return all
}

// expected is an expectation with its mark.
type expected struct {
	result.Expectation
	Mark badge
}

func expectations(all []result.Expectation) (marked []expected) {
	for _, e := range all {
		verdict := badge{"not met", "alarmed"}
		if e.Met {
			verdict = badge{"met", "good"}
		}
		marked = append(marked, expected{e, verdict})
	}
	return marked
}

// A badge is a word in a frame, readable without its colour.
type badge struct{ Text, Class string }

func badges(row *result.Row) (all []badge) {
	if row.Failure != "" {
		all = append(all, badge{"failed", "alarmed"})
	}
	if !row.Trusted {
		all = append(all, badge{"not trustworthy", "alarmed"})
	}
	if row.Cut {
		all = append(all, badge{"cut", "careful"})
	}
	return all
}

// HTML writes the result as a self-contained page, without scripts or network access.
func HTML(w io.Writer, r *result.Result) error {
	pictures, err := Pictures(r)
	if err != nil {
		return err
	}
	p := page{
		Result: r, Title: "demo-server bench", Run: header(r), Rows: rowMeanings(r.Rows),
		Expectations: expectations(r.Expectations),
	}
	if len(r.Costs) > 0 {
		p.Title = "demo-server bench cost"
		p.costs(pictures)
	} else {
		p.rows(pictures)
	}
	return pageTemplate.Execute(w, p)
}

// rows adds the sections of a run that has rows, the most useful ones first.
func (p *page) rows(pictures []Picture) {
	groups := groupsOf(p.Result.Rows)
	if heat, ok := heatTable(p.Result); ok {
		p.add(section{ID: "heat", Title: heat.Title, Table: &heat})
	}
	p.addPicture(pictures, "throughput", throughputGist(groups))
	if len(p.Result.Rows) > 0 {
		p.addTable("served", "What the clients got", served, clientsGist(groups, p.Load), nil)
		p.addPicture(pictures, "latency", latencyGist(groups, p.Load))
		p.addTable("taken", "What the servers used", taken, serversGist(groups), p.takenNotes())
		p.addTable("foretold", "What theory predicted", foretold, theoryGist(groups, p.Load.Margin), nil)
	}
	p.addPicture(pictures, "inside", insideGist(groups))
	p.addPicture(pictures, "resources", resourcesGist(groups))
	p.addNotes(groups)
	p.addAudits()
	if left := p.Result.Left; len(left) > 0 {
		p.add(section{ID: "left", Title: "Left out", Gist: leftGist(left), Left: left})
	}
	if choices := choices(p.Result.Rows); choices != nil {
		gist := plural(len(choices), "mode") + ", with figures of other runs"
		p.add(section{ID: "choices", Title: "Which mode to choose", Gist: gist, Choices: choices})
	}
}

// add appends a section. A picture or heat table that comes first leads the page. If another section comes first, it
// is open.
func (p *page) add(s section) {
	switch {
	case p.Lead == nil && p.Folds == nil && (s.Picture != nil || s.ID == "heat"):
		p.Lead = &s
		return
	case p.Lead == nil && p.Folds == nil:
		s.Open = true
	}
	p.Folds = append(p.Folds, s)
}

// addPicture appends the picture with this name, if there is one.
func (p *page) addPicture(pictures []Picture, name, gist string) {
	for i := range pictures {
		if pictures[i].Name == name {
			p.add(section{ID: name, Title: pictures[i].Title, Gist: gist, Picture: &pictures[i]})
		}
	}
}

func (p *page) addTable(id, title string, columns []column, gist string, notes []string) {
	table := tableOf(p.Result, title, columns)
	table.Notes = append(table.Notes, notes...)
	p.add(section{ID: id, Title: title, Gist: gist, Table: &table})
}

// takenNotes returns how CPU was measured, and where to find missing memory figures.
func (p *page) takenNotes() (notes []string) {
	knows := func(of func(*result.Figures) *float64) bool {
		return slices.ContainsFunc(p.Result.Rows, func(row result.Row) bool { return of(&row.Total) != nil })
	}
	if knows(func(f *result.Figures) *float64 { return f.CPUPerRequest }) {
		notes = append(notes, "CPU per request was measured "+cpuMeasured(p.Load)+".")
	}
	if !knows(func(f *result.Figures) *float64 { return f.BytesPerInFlight }) {
		notes = append(notes, "Memory per request is not shown, because with few requests in flight the memory of the process"+
			" itself hides it: demo-server bench cost measures it.")
	}
	return notes
}

func (p *page) addNotes(groups []rowGroup) {
	var all []pageNotes
	for _, g := range groups {
		notes := pageNotes{Title: g.title}
		for _, e := range g.entries {
			if len(e.Notes) > 0 || e.Failure != "" {
				notes.Rows = append(notes.Rows, noted{e.name, e.Notes, e.Failure})
			}
		}
		if notes.Rows != nil {
			all = append(all, notes)
		}
	}
	if all != nil {
		p.add(section{ID: "notes", Title: "Notes", Gist: notesGist(all), Notes: all})
	}
}

func (p *page) addAudits() {
	if audits := newAuditList(p.Result.Rows); audits != nil {
		p.add(section{ID: "audits", Title: "Audits", Gist: audits.gist(), Audits: audits})
	}
}

// costs adds the sections of a run that has costs.
func (p *page) costs(pictures []Picture) {
	t := pageTable{Title: "What a blocked request costs"}
	for _, column := range costColumns {
		t.Heads = append(t.Heads, column.title)
	}
	p.Run = costLoad(p.Costs)
	notes := pageNotes{}
	var lines []tableLine
	for i := range p.Costs {
		c := &p.Costs[i]
		line := tableLine{Name: c.Name}
		for _, cell := range costCells(c)[1:] {
			line.Cells = append(line.Cells, pageCellOf(cell))
		}
		if c.Failure != "" {
			line.Badges = []badge{{"failed", "alarmed"}}
		}
		lines = append(lines, line)
		if len(c.Notes) > 0 || c.Failure != "" {
			notes.Rows = append(notes.Rows, noted{c.Name, c.Notes, c.Failure})
		}
	}
	t.Groups = []tableGroup{{Lines: lines}}
	t.explain()
	p.addPicture(pictures, "cost", "")
	p.add(section{ID: "costs", Title: t.Title, Gist: costsGist(p.Costs), Table: &t})
	if notes.Rows != nil {
		all := []pageNotes{notes}
		p.add(section{ID: "notes", Title: "Notes", Gist: notesGist(all), Notes: all})
	}
}

// costLoad returns how many requests blocked.
func costLoad(costs []result.Cost) []headerLine {
	most := 0
	for _, c := range costs {
		most = max(most, c.Wanted)
	}
	return []headerLine{{"Load", plural(most, "request") + " that block at the same time, or as many as a server takes"}}
}

// name returns a name as HTML that may break after its punctuation.
func name(text string) template.HTML {
	var html []string
	for _, piece := range pieces(clean(text)) {
		html = append(html, template.HTMLEscapeString(piece))
	}
	return template.HTML(strings.Join(html, "<wbr>"))
}

// pageStyle returns the style sheet of the page, with the shades.
func pageStyle() template.CSS { return template.CSS(variables() + "\n" + style) }

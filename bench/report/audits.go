package report

import (
	"fmt"
	"slices"

	"demo-server/bench/result"
)

// The marks of audits.
const (
	markPass    = "pass"
	markFail    = "fail"
	markSkipped = "not applied"
)

// An auditList holds the audits of all rows: a table of their marks, and sentences about audits that do not pass.
type auditList struct {
	Exceptions []auditException
	Table      *pageTable
}

// An auditException holds an audit that does not pass, for one or more rows.
type auditException struct {
	Mark      badge
	Rows      []string
	Law, Text string
}

// Names returns the names of the rows as a list in words.
func (e auditException) Names() string { return listNames(e.Rows) }

// newAuditList returns the audits of the rows, or nil without any.
func newAuditList(rows []result.Row) *auditList {
	t := pageTable{
		Title: "Audits of each row",
		Notes: []string{"Below each mark: the figure that was sampled, and the one that it must agree with."},
	}
	var list auditList
	for _, row := range rows {
		for _, a := range row.Audits {
			if !slices.Contains(t.Heads, a.Name) {
				t.Heads = append(t.Heads, a.Name)
			}
			list.except(clean(row.Name), a)
		}
	}
	if t.Heads == nil {
		return nil
	}
	for _, g := range groupsOf(rows) {
		group := tableGroup{Title: g.title}
		for _, e := range g.entries {
			line := tableLine{Name: e.name, Badges: badges(e.Row)}
			for _, law := range t.Heads {
				line.Cells = append(line.Cells, auditCell(e.Audits, law))
			}
			group.Lines = append(group.Lines, line)
		}
		t.Groups = append(t.Groups, group)
	}
	if t.has(func(c pageCell) bool { return c.Text == unknown }) {
		t.Marks = []string{unknown + " not checked: there were no samples for it."}
	}
	list.Table = &t
	return &list
}

// except adds an audit unless it passes.
func (l *auditList) except(row string, a result.Audit) {
	verdict := auditMark(a)
	if verdict.Text == markPass {
		return
	}
	text := a.Text
	if verdict.Text == markSkipped {
		text = a.Skipped
	}
	same := func(e auditException) bool { return e.Mark == verdict && e.Law == a.Name && e.Text == text }
	if i := slices.IndexFunc(l.Exceptions, same); i >= 0 {
		l.Exceptions[i].Rows = append(l.Exceptions[i].Rows, row)
		return
	}
	l.Exceptions = append(l.Exceptions, auditException{verdict, []string{row}, a.Name, text})
}

// auditMark returns whether a law holds, as a word and a colour.
func auditMark(a result.Audit) badge {
	switch {
	case a.Broken:
		return badge{markFail, "alarmed"}
	case a.Skipped != "":
		return badge{markSkipped, "absent"}
	}
	return badge{markPass, "good"}
}

// auditCell returns the table cell of a law.
func auditCell(audits []result.Audit, law string) pageCell {
	i := slices.IndexFunc(audits, func(a result.Audit) bool { return a.Name == law })
	if i < 0 {
		return pageCell{Text: unknown, Class: "absent"}
	}
	verdict := auditMark(audits[i])
	c := pageCell{Text: verdict.Text, Class: verdict.Class}
	if verdict.Text != markSkipped {
		c.Small = fmt.Sprintf("%.1f, %.1f", audits[i].Left, audits[i].Right)
	}
	return c
}

// gist returns the numbers of marks, and the names of rows with a broken law.
func (l *auditList) gist() string {
	marks := map[string]int{}
	for _, g := range l.Table.Groups {
		for _, line := range g.Lines {
			for _, c := range line.Cells {
				marks[c.Text]++
			}
		}
	}
	parts := []string{fmt.Sprintf("%d pass", marks[markPass])}
	var broken []string
	for _, e := range l.Exceptions {
		for _, row := range e.Rows {
			if e.Mark.Text == markFail && !slices.Contains(broken, row) {
				broken = append(broken, row)
			}
		}
	}
	if broken != nil {
		parts = append(parts, fmt.Sprintf("%d fail: %s", marks[markFail], listNames(broken)))
	}
	if n := marks[markSkipped]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d not applied", n))
	}
	return joined(parts)
}

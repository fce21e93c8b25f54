package report

import (
	"cmp"
	"slices"

	"demo-server/bench/result"
)

// A rowGroup holds the rows that share a drawing or a part of a table: the rows of one kind of work in a matrix, else
// all.
type rowGroup struct {
	title   string // empty for the only group
	entries []entry
}

// An entry is a row with its name in its group.
type entry struct {
	*result.Row
	name string
	look int // number of the colour and marks of its lines, the same in all groups
}

// otherWork is the title of rows with unknown work, next to a matrix.
const otherWork = "work not known"

// groupsOf returns the rows in groups, in the order of the rows.
func groupsOf(rows []result.Row) (groups []rowGroup) {
	m := result.MatrixOf(rows)
	for i := range rows {
		e := entry{&rows[i], clean(rows[i].Name), i}
		title := ""
		if m != nil {
			title = cmp.Or(rows[i].Work, otherWork)
			e.name = clean(rows[i].Server())
			if e.look = slices.Index(m.Servers, rows[i].Server()); e.look < 0 {
				e.look = len(m.Servers) + i
			}
		}
		at := slices.IndexFunc(groups, func(g rowGroup) bool { return g.title == title })
		if at < 0 {
			at, groups = len(groups), append(groups, rowGroup{title: title})
		}
		groups[at].entries = append(groups[at].entries, e)
	}
	return groups
}

func namesOf(entries []entry) (names []string) {
	for _, e := range entries {
		names = append(names, e.name)
	}
	return names
}

// maxListed is the maximum number of names in a sentence.
const maxListed = 6

// listNames lists names in words. If there are more than maxListed, it lists the first ones and the number of others.
func listNames(names []string) string {
	if len(names) <= maxListed {
		return list(names)
	}
	return list(append(slices.Clone(names[:maxListed-1]), plural(len(names)-maxListed+1, "other")))
}

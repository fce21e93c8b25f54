package result

import (
	"slices"
	"strings"
)

// Times stands in a row's name between what serves and the kind of work, where rows differ in both: "pool × sql".
const Times = " × "

// A Matrix is rows by what serves and by the kind of work that it does.
type Matrix struct {
	Servers, Kinds []string // in the order of the rows
	rows           map[[2]string]*Row
}

// MatrixOf returns rows as a matrix, or nil where they do not have several kinds of work.
func MatrixOf(rows []Row) *Matrix {
	m := &Matrix{rows: map[[2]string]*Row{}}
	for i := range rows {
		row := &rows[i]
		if row.Work == "" {
			continue
		}
		server := row.Server()
		if !slices.Contains(m.Servers, server) {
			m.Servers = append(m.Servers, server)
		}
		if !slices.Contains(m.Kinds, row.Work) {
			m.Kinds = append(m.Kinds, row.Work)
		}
		m.rows[[2]string{server, row.Work}] = row
	}
	if len(m.Kinds) < 2 {
		return nil
	}
	return m
}

// At is the row of a server with a kind of work, or nil.
func (m *Matrix) At(server, kind string) *Row { return m.rows[[2]string{server, kind}] }

// Server is the row's name without its kind of work.
func (r *Row) Server() string { return strings.TrimSuffix(r.Name, Times+r.Work) }

// Share is which part of the client's ceiling was reached, 1 for all of it, or nil where that is not known.
func (f *Figures) Share() *float64 {
	if f == nil || f.PerSecond == nil || f.Ceiling == nil || *f.Ceiling == 0 {
		return nil
	}
	return Number(*f.PerSecond / *f.Ceiling)
}

package result

import (
	"slices"
	"strings"
)

// Times separates the server from the kind of work in a row's name, if rows differ in both: "pool × sql".
const Times = " × "

// A Matrix holds rows by server and kind of work.
type Matrix struct {
	Servers, Kinds []string // in the order of the rows
	rows           map[[2]string]*Row
}

// MatrixOf returns rows as a matrix, or nil if they have fewer than two kinds of work.
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

// At returns the row of a server with a kind of work, or nil.
func (m *Matrix) At(server, kind string) *Row { return m.rows[[2]string{server, kind}] }

// Server returns the row's name without its kind of work.
func (r *Row) Server() string { return strings.TrimSuffix(r.Name, Times+r.Work) }

// Share returns the throughput as a share of the ceiling, 1 for all of it. It returns nil if the share is unknown.
func (f *Figures) Share() *float64 {
	if f == nil || f.PerSecond == nil || f.Ceiling == nil || *f.Ceiling == 0 {
		return nil
	}
	return Number(*f.PerSecond / *f.Ceiling)
}

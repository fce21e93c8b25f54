package result

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMatrix checks that a matrix finds rows by server and kind of work, and that one kind alone is not a matrix.
func TestMatrix(t *testing.T) {
	rows := []Row{
		{Name: "pool × sleep", Work: "sleep"}, {Name: "thread × sleep", Work: "sleep"},
		{Name: "pool × sql", Work: "sql"}, {Name: "mine"},
	}
	m := MatrixOf(rows)
	if diff := cmp.Diff([][]string{{"pool", "thread"}, {"sleep", "sql"}}, [][]string{m.Servers, m.Kinds}); diff != "" {
		t.Error(diff)
	}
	if m.At("pool", "sql") != &rows[2] || m.At("thread", "sql") != nil {
		t.Error("a row is not where it belongs")
	}
	if MatrixOf(rows[:2]) != nil || MatrixOf(rows[3:]) != nil || MatrixOf(nil) != nil {
		t.Error("a matrix of fewer than two kinds")
	}
}

func TestShare(t *testing.T) {
	half := Number(0.5)
	if got := (&Figures{PerSecond: Number(5.0), Ceiling: Number(10.0)}).Share(); !cmp.Equal(got, half) {
		t.Errorf("%v, want 0.5", got)
	}
	for _, f := range []*Figures{nil, {}, {PerSecond: half}, {PerSecond: half, Ceiling: Number(0.0)}} {
		if got := f.Share(); got != nil {
			t.Errorf("%+v: %v, want nothing", f, *got)
		}
	}
}

package report

import (
	"fmt"
	"io"
	"time"

	"demo-server/bench/result"
)

// PlanText writes what is going to be measured, what theory predicts of it, and when it will be done. plan is a result
// of which nothing has been measured yet; the times that it took are those that it will take.
func PlanText(w io.Writer, plan *result.Result, now time.Time, o Options) error {
	t := &writer{Options: o}
	var rows [][]cell
	for i := range plan.Rows {
		rows = append(rows, planCells(&plan.Rows[i]))
	}
	t.section(fmt.Sprintf("%s, %s", load(plan.Load), rounds(plan.Load.Repeat)))
	t.table([]string{"predicted\nreq/s", "mean", "longest", "refused", "takes", "bound"}, rows)
	for _, row := range plan.Rows {
		if row.Why != "" {
			t.say(row.Name, calm, "no prediction: "+row.Why)
		}
		if row.Cut {
			t.say(row.Name, careful, "would take longer, and is cut off there")
		}
	}
	t.left(plan.Left)
	t.section("")
	end := now.Add(time.Duration(plan.TookSeconds * float64(time.Second)))
	t.say("", calm, fmt.Sprintf("All of it takes about %s, until %s.", span(plan.TookSeconds), end.Format(time.TimeOnly)))
	t.section("")
	return t.flush(w)
}

func planCells(row *result.Row) []cell {
	bound := cell{text: row.Bound}
	if row.Bound == "" {
		bound.text = unknown
	}
	takes := cell{text: span(row.Total.TookSeconds)}
	if row.Cut {
		takes.mood = careful
	}
	p := row.Prediction
	if p == nil {
		p = &result.Figures{}
	}
	refused := cell{text: unknown}
	if p.RefusedShare != nil {
		refused.text = share(*p.RefusedShare)
	}
	return []cell{
		{text: row.Name}, {text: rate(p.PerSecond)}, {text: latency(p.Mean)}, {text: latency(p.Longest)}, refused, takes, bound,
	}
}

// load says what load is put on each row.
func load(l result.Load) string {
	end := fmt.Sprintf("for %s", short(l.DurationSeconds))
	if l.Requests > 0 {
		end = fmt.Sprintf("%s requests", thousands(fmt.Sprint(l.Requests)))
	}
	if l.Loop == "open" {
		return fmt.Sprintf("%s requests/s %s by %s", decimal(l.Rate, 4), end, l.Generator)
	}
	return fmt.Sprintf("%s clients %s by %s", thousands(fmt.Sprint(l.Concurrency)), end, l.Generator)
}

func rounds(n int) string {
	if n == 1 {
		return "1 round"
	}
	return fmt.Sprintf("%d rounds", n)
}

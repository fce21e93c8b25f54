package result

import (
	"encoding/csv"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A line of the CSV holds one repeat, with its row and result.
type line struct {
	result *Result
	row    *Row
	repeat *Repeat
}

// A column of the CSV has a name and a function that returns the text of its cell in a line.
type column struct {
	name  string
	value func(line) string
}

// columns lists the columns of the CSV in their order. docs/reference/bench-result.md documents them.
var columns = []column{
	{"started", func(l line) string { return l.repeat.Started.Format(time.RFC3339Nano) }},
	{"row", func(l line) string { return l.row.Name }},
	{"kind", func(l line) string { return l.row.Kind }},
	{"mode", func(l line) string { return l.row.Mode }},
	{"settings", func(l line) string { return settings(l.row.Settings) }},
	{"delay_seconds", func(l line) string { return number(l.row.Delay) }},
	{"generator", func(l line) string { return l.result.Load.Generator }},
	{"loop", func(l line) string { return l.result.Load.Loop }},
	{"concurrency", func(l line) string { return strconv.Itoa(l.result.Load.Concurrency) }},
	{"rate_per_second", func(l line) string { return float(l.result.Load.Rate) }},
	{"round", func(l line) string { return strconv.Itoa(l.repeat.Round) }},
	{"cut", func(l line) string { return strconv.FormatBool(l.row.Cut) }},
	{"trusted", func(l line) string { return strconv.FormatBool(l.row.Trusted) }},
	{"requests_per_second", func(l line) string { return number(l.repeat.PerSecond) }},
	{"ceiling_per_second", func(l line) string { return number(l.repeat.Ceiling) }},
	{"predicted_requests_per_second", func(l line) string { return predicted(l.row) }},
	{"mean_seconds", latency(func(p *Repeat) *Latency { return p.Mean })},
	{"mean_beyond", beyond(func(p *Repeat) *Latency { return p.Mean })},
	{"p50_seconds", latency(func(p *Repeat) *Latency { return p.P50 })},
	{"p50_beyond", beyond(func(p *Repeat) *Latency { return p.P50 })},
	{"p90_seconds", latency(func(p *Repeat) *Latency { return p.P90 })},
	{"p90_beyond", beyond(func(p *Repeat) *Latency { return p.P90 })},
	{"p99_seconds", latency(func(p *Repeat) *Latency { return p.P99 })},
	{"p99_beyond", beyond(func(p *Repeat) *Latency { return p.P99 })},
	{"longest_seconds", latency(func(p *Repeat) *Latency { return p.Longest })},
	{"longest_beyond", beyond(func(p *Repeat) *Latency { return p.Longest })},
	{"answered", func(l line) string { return strconv.Itoa(l.repeat.Answered) }},
	{"refused", func(l line) string { return strconv.Itoa(l.repeat.Refused) }},
	{"unfinished", func(l line) string { return strconv.Itoa(l.repeat.Unfinished) }},
	{"failed", func(l line) string { return strconv.Itoa(l.repeat.Failed) }},
	{"failed_connect", func(l line) string { return strconv.Itoa(l.repeat.Connect) }},
	{"failed_timeout", func(l line) string { return strconv.Itoa(l.repeat.Timeout) }},
	{"failed_broken", func(l line) string { return strconv.Itoa(l.repeat.Broken) }},
	{"failed_status", func(l line) string { return strconv.Itoa(l.repeat.Status) }},
	{"failed_body", func(l line) string { return strconv.Itoa(l.repeat.Body) }},
	{"steady_seconds", func(l line) string { return float(l.repeat.SteadySeconds) }},
	{"took_seconds", func(l line) string { return float(l.repeat.TookSeconds) }},
	{"cpu_seconds_per_request", func(l line) string { return number(l.repeat.CPUPerRequest) }},
	{"context_switches_per_request", func(l line) string { return number(l.repeat.SwitchesPerRequest) }},
	{"bytes_per_request_in_flight", func(l line) string { return number(l.repeat.BytesPerInFlight) }},
	{"server_cores", func(l line) string { return number(l.repeat.ServerCores) }},
	{"client_cores", func(l line) string { return number(l.repeat.ClientCores) }},
	{"other_cores", func(l line) string { return number(l.repeat.OtherCores) }},
	{"idle_resident_bytes", func(l line) string { return number(l.repeat.IdleBytes) }},
	{"peak_resident_bytes", peak(func(s *Sample) *float64 { return s.Resident })},
	{"peak_threads", peak(func(s *Sample) *float64 { return s.Threads })},
	{"peak_goroutines", peak(func(s *Sample) *float64 { return s.Goroutines })},
	{"peak_open_files", peak(func(s *Sample) *float64 { return s.OpenFiles })},
	{"peak_in_flight", peak(func(s *Sample) *float64 { return s.InFlight })},
	{"peak_queued", peak(func(s *Sample) *float64 { return s.Queued })},
	{"peak_accept_queue", peak(func(s *Sample) *float64 { return s.AcceptQueue })},
}

// WriteCSV writes a line of names, and then a line for each repeat of each row (RFC 4180). Unknown figures are empty.
func WriteCSV(w io.Writer, r *Result) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	cells := make([]string, len(columns))
	for i, column := range columns {
		cells[i] = column.name
	}
	out.Write(cells) // the writer keeps the first error for Error
	for i := range r.Rows {
		row := &r.Rows[i]
		for j := range row.Repeats {
			for k, column := range columns {
				cells[k] = column.value(line{r, row, &row.Repeats[j]})
			}
			out.Write(cells)
		}
	}
	out.Flush()
	return out.Error()
}

func latency(of func(*Repeat) *Latency) func(line) string {
	return func(l line) string {
		if wait := of(l.repeat); wait != nil {
			return float(wait.Seconds)
		}
		return ""
	}
}

func beyond(of func(*Repeat) *Latency) func(line) string {
	return func(l line) string {
		if wait := of(l.repeat); wait != nil {
			return strconv.FormatBool(wait.Beyond)
		}
		return ""
	}
}

func peak(of func(*Sample) *float64) func(line) string {
	return func(l line) string {
		if l.repeat.Peak == nil {
			return ""
		}
		return number(of(l.repeat.Peak))
	}
}

func predicted(row *Row) string {
	if row.Prediction == nil {
		return ""
	}
	return number(row.Prediction.PerSecond)
}

func settings(all map[string]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		words = append(words, name+"="+all[name])
	}
	return strings.Join(words, ",")
}

func number(f *float64) string {
	if f == nil {
		return ""
	}
	return float(*f)
}

// float formats a number with all digits needed to read the same number again. It writes no exponent, because few
// spreadsheets read one well.
func float(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

package result

import (
	"encoding/csv"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// small returns a result with one of each kind of thing.
func small() *Result {
	first := Repeat{Round: 1, Started: noon}
	first.PerSecond, first.Ceiling = Number(24.97), Number(50)
	first.P50, first.Longest = &Latency{Seconds: 2.5e-7}, &Latency{Seconds: 60, Beyond: true}
	first.Answered, first.Refused = 1200, 7
	first.Peak = &Sample{Threads: Number(9)}
	return &Result{
		Schema: Schema, Version: "v1", Started: noon, Command: []string{"demo-server", "bench"}, Machine: ThisMachine(),
		Load: Load{Generator: "builtin", Loop: "closed", Concurrency: 100},
		Rows: []Row{
			{
				Name: `pool("x", y)`, Kind: KindMode, Mode: "pool", Settings: map[string]string{"workers": "50", "queue": "5"},
				Delay: Number(2), Prediction: &Figures{PerSecond: Number(25)}, Trusted: true,
				Repeats: []Repeat{first, {Round: 2, Started: noon.Add(time.Minute)}},
				Curve:   []Point{{Percent: 50, Latency: Latency{Seconds: 2}}},
				Notes:   []string{"a < b & c"},
			},
			{Name: "broken", Kind: KindAgainst, Failure: "no answer"},
		},
		Comparisons: []Comparison{{A: "a", B: "b", Verdict: TooFew}},
		Costs:       []Cost{{Name: "pool", BytesPerRequest: Number(710)}},
	}
}

func TestWriteAndRead(t *testing.T) {
	var file strings.Builder
	if err := Write(&file, small()); err != nil {
		t.Fatal(err)
	}
	back, err := Read(strings.NewReader(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(small(), back); diff != "" {
		t.Errorf("what was read is not what was written (-, +):\n%s", diff)
	}
	for _, part := range []string{"\n  \"schema\": \"demo-server/bench/1\"", "a < b & c", `"bytes_per_request": 710`} {
		if !strings.Contains(file.String(), part) {
			t.Errorf("the file has no %s:\n%s", part, file.String())
		}
	}
}

func TestRead(t *testing.T) {
	tests := []struct{ name, file, err string }{
		{"a field that is not known is a newer one", `{"schema": "demo-server/bench/1", "colour": "red"}`, ""},
		{"a newer schema", `{"schema": "demo-server/bench/2"}`,
			`the schema is "demo-server/bench/2", and this program reads demo-server/bench/1`},
		{"a newer schema with other types", `{"schema": "demo-server/bench/2", "rows": 7}`,
			`the schema is "demo-server/bench/2", and this program reads demo-server/bench/1`},
		{"the right schema with another type", `{"schema": "demo-server/bench/1", "rows": 7}`,
			"not a result of demo-server/bench/1: "},
		{"another object", `{"name": "x"}`, "it names no schema; want demo-server/bench/1"},
		{"no object", `[1]`, "it names no schema; want demo-server/bench/1"},
		{"cut short", `{"schema": "demo-server/ben`, "not JSON: unexpected end of JSON input, at byte 27"},
		{"two results", `{"schema": "demo-server/bench/1"} {}`, "not JSON: "},
		{"empty", "", "not JSON: "},
		{"a huge figure", ofRow(`"total": {"requests_per_second": 1e308}`),
			"rows[1].total.requests_per_second: 1e+308 is nothing that can be measured; want 0, or from 1e-12 to 1e+15"},
		{"one that is no number", ofRow(`"total": {"requests_per_second": 1e309}`),
			"cannot unmarshal number 1e309 into Go struct field Figures.rows.total.requests_per_second"},
		{"NaN", ofRow(`"total": {"requests_per_second": NaN}`), "not JSON: invalid character 'N'"},
		{"a tiny figure", ofRow(`"repeats": [{}, {"p50": {"seconds": 5e-324}}]`), "rows[1].repeats[1].p50.seconds: 5e-324 is nothing"},
		{"a negative rate", ofRow(`"repeats": [{"requests_per_second": -1}]`), "rows[1].repeats[0].requests_per_second: -1 is below 0"},
		{"a negative count", ofRow(`"repeats": [{"answered": -1}]`), "rows[1].repeats[0].answered: -1 is below 0"},
		{"a huge count", ofRow(`"repeats": [{"answered": 9223372036854775807}]`), "rows[1].repeats[0].answered: 9.223372036854776e+18 is"},
		{"a negative percent", ofRow(`"curve": [{"percent": -1}]`), "rows[1].curve[0].percent: -1 is below 0"},
		{"a negative sample", ofRow(`"series": [{"threads": -1}]`), "rows[1].series[0].threads: -1 is below 0"},
		{"a negative cost", `{"schema": "demo-server/bench/1", "costs": [{"idle_resident_bytes": -1}]}`,
			"costs[0].idle_resident_bytes: -1 is below 0"},
		{"a negative load", `{"schema": "demo-server/bench/1", "load": {"concurrency": -1}}`, "load.concurrency: -1 is below 0"},
		{"a difference below zero", ofRow(`"total": {"bytes_per_request_in_flight": -4096, "requests_per_second_low": -0.5}`), ""},
		{"a name twice", `{"schema": "demo-server/bench/1", "rows": [{"name": "a"}, {"name": "b"}, {"name": "a"}]}`,
			`rows[2].name: "a" is the name of rows[0] already`},
		{"too many rows", `{"schema": "demo-server/bench/1", "rows": [{}` + strings.Repeat(",{}", 10_000) + "]}",
			"rows: 10001 are more than a run has; want at most 10000"},
		{"too many samples", ofRow(`"series": [{}` + strings.Repeat(",{}", 1_000_000) + "]"),
			"its lists have 1000003 elements; want at most 1000000"},
		{"a long number", ofRow(`"total": {"requests_per_second": 1` + strings.Repeat("0", 1000) + "}"),
			"cannot unmarshal number 1000"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(test.file))
			switch {
			case test.err == "" && err != nil:
				t.Error(err)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("the error is %v, want %s", err, test.err)
			case test.err != "" && len(err.Error()) > 400:
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
}

// ofRow returns a file whose second row has the given field.
func ofRow(field string) string {
	return `{"schema": "demo-server/bench/1", "rows": [{"name": "a"}, {"name": "b", ` + field + `}]}`
}

// TestElements checks that elements counts list elements of JSON and nothing that only resembles them.
func TestElements(t *testing.T) {
	for text, want := range map[string]int{
		`{}`: 0, `[]`: 1, `[1]`: 1, `[1,2,{"a":[3,4],"b":5}]`: 5, `{"a":1,"b":"[,,\",,["}`: 0, `["\\",","]`: 2, `[[],[],[]]`: 6,
	} {
		if got := elements([]byte(text)); got != want {
			t.Errorf("%s has %d, want %d", text, got, want)
		}
	}
}

// TestReadTakesNoMemory checks that Read refuses a small file before it becomes a large result.
func TestReadTakesNoMemory(t *testing.T) {
	file := `{"schema": "demo-server/bench/1", "rows": [{}` + strings.Repeat(",{}", 300_000) + "]}"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Read(strings.NewReader(file))
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; err == nil || allocated > 20<<20 {
		t.Errorf("%d MiB were allocated for a file of %d kB, %v", allocated>>20, len(file)>>10, err)
	}
}

// TestReadForever checks that Read stops at its limit if a file does not end.
func TestReadForever(t *testing.T) {
	_, err := read(zeros{}, 1000)
	if want := "not a result of the bench: it has more than 1000 bytes"; err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

// zeros is an endless file like /dev/zero.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// FuzzRead checks that Read's results can be written, and are the same when they are read again.
func FuzzRead(f *testing.F) {
	var file strings.Builder
	if err := Write(&file, small()); err != nil {
		f.Fatal(err)
	}
	f.Add(file.String())
	f.Add(ofRow(`"total": {"requests_per_second": 1e308}`))
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		var file strings.Builder
		if err := Write(&file, r); err != nil {
			t.Fatal(err)
		}
		again, err := Read(strings.NewReader(file.String()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, again, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestNoNumber checks that a figure that is not a number never becomes something else in a file.
func TestNoNumber(t *testing.T) {
	r := small()
	r.Rows[0].Total.PerSecond = Number(math.NaN())
	if err := Write(&strings.Builder{}, r); err == nil {
		t.Error("NaN was written as JSON")
	}
}

func TestCSV(t *testing.T) {
	var file strings.Builder
	if err := WriteCSV(&file, small()); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(file.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 3 {
		t.Fatalf("%d lines, want one of names and one for each of the 2 repeats:\n%s", len(lines), file.String())
	}
	cell := func(line int, name string) string {
		for i, column := range lines[0] {
			if column == name {
				return lines[line][i]
			}
		}
		t.Errorf("there is no column %s", name)
		return ""
	}
	want := map[string][2]string{
		"row": {`pool("x", y)`, `pool("x", y)`}, "round": {"1", "2"},
		"settings":      {"queue=5,workers=50", "queue=5,workers=50"},
		"started":       {"2026-11-22T12:00:00Z", "2026-11-22T12:01:00Z"},
		"delay_seconds": {"2", "2"}, "concurrency": {"100", "100"}, "trusted": {"true", "true"},
		"requests_per_second": {"24.97", ""}, "ceiling_per_second": {"50", ""}, "predicted_requests_per_second": {"25", "25"},
		"p50_seconds": {"0.00000025", ""}, "p50_beyond": {"false", ""},
		"longest_seconds": {"60", ""}, "longest_beyond": {"true", ""},
		"answered": {"1200", "0"}, "refused": {"7", "0"}, "peak_threads": {"9", ""}, "peak_queued": {"", ""},
	}
	for name, values := range want {
		for i, value := range values {
			if got := cell(i+1, name); got != value {
				t.Errorf("line %d: %s is %q, want %q", i+1, name, got, value)
			}
		}
	}
	if !strings.Contains(file.String(), `,"pool(""x"", y)",`) || !strings.HasSuffix(file.String(), "\r\n") {
		t.Errorf("not as RFC 4180 wants it:\n%s", file.String())
	}
}

// full is a disk with room for this many bytes.
type full int

var errFull = errors.New("no space left on device")

func (f *full) Write(p []byte) (int, error) {
	if *f -= full(len(p)); *f < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestFullDisk(t *testing.T) {
	for _, room := range []full{0, 100} {
		disk := room
		if err := Write(&disk, small()); !errors.Is(err, errFull) {
			t.Errorf("JSON with room for %d bytes: %v, want %v", room, err, errFull)
		}
		disk = room
		if err := WriteCSV(&disk, small()); !errors.Is(err, errFull) {
			t.Errorf("CSV with room for %d bytes: %v, want %v", room, err, errFull)
		}
	}
}

func TestThisMachine(t *testing.T) {
	m := ThisMachine()
	if m.Cores < 1 || m.Go != runtime.Version() || m.System != runtime.GOOS+"/"+runtime.GOARCH {
		t.Errorf("%+v", m)
	}
	if runtime.GOOS != "linux" {
		return
	}
	if m.CPU == "" && runtime.GOARCH == "amd64" || m.Memory < 1<<20 || m.Kernel == "" || m.OpenFiles < 1 || m.Backlog < 1 {
		t.Errorf("what Linux tells is missing: %+v", m)
	}
}

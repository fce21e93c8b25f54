package report

import (
	"math"
	"testing"

	"demo-server/bench/result"
)

func TestWords(t *testing.T) {
	number := result.Number[float64]
	tests := []struct{ got, want string }{
		{latency(nil), "–"},
		{latency(exactly(0)), "0 s"},
		{latency(exactly(2.0034)), "2.003 s"},
		{latency(exactly(0.0102)), "10.2 ms"},
		{latency(exactly(0.000_250_4)), "250 µs"},
		{latency(exactly(0.000_001)), "1.00 µs"},
		{latency(exactly(0.9996)), "0.9996 s"}, // 1000 ms would claim too many digits
		{latency(exactly(0.9994)), "999 ms"},
		{latency(exactly(0.000_999_9)), "1.00 ms"},
		{latency(exactly(100.455)), "100.5 s"},
		{latency(exactly(12345.6)), "12,350 s"},
		{latency(&result.Latency{Seconds: 60, Beyond: true}), "> 60 s"},
		{latency(&result.Latency{Seconds: 60.04, Beyond: true}), "> 60 s"},
		{latency(&result.Latency{Seconds: 51.99, Beyond: true}), "> 51 s"}, // 52 would be wrong
		{latency(&result.Latency{Seconds: 4.101, Beyond: true}), "> 4.1 s"},
		{latency(&result.Latency{Seconds: 4.1, Beyond: true}), "> 4.1 s"},
		{latency(&result.Latency{Seconds: 0.3, Beyond: true}), "> 300 ms"},
		{latency(&result.Latency{Seconds: 0.000_459, Beyond: true}), "> 450 µs"},
		{latency(&result.Latency{Seconds: 599.9, Beyond: true}), "> 599 s"},
		{latency(&result.Latency{Seconds: 12_345, Beyond: true}), "> 12,340 s"},
		{latency(&result.Latency{Beyond: true}), "> 0 s"},
		{short(100), "100 s"},
		{short(1e300), "1.000e+300 s"},
		{short(1e-4), "100 µs"},
		{span(1892), "31m32s"},
		{span(0.25), "250ms"},
		{span(0.001), "10ms"},
		{span(0), "0s"},
		{rate(nil), "–"},
		{rate(number(0)), "0"},
		{rate(number(0.49958)), "0.4996"},
		{rate(number(49.983)), "49.98"},
		{rate(number(999.96)), "1,000"},
		{rate(number(73_169)), "73,170"},
		{rate(number(1e-12)), "0.000000000001000"},
		{rate(number(1e15)), "1.000e+15"},
		{rate(number(1e308)), "1.000e+308"},
		{rate(number(math.MaxFloat64)), "1.798e+308"},
		{rate(number(5e-324)), "4.941e-324"},
		{rate(number(math.NaN())), "NaN"},
		{rate(number(math.Inf(-1))), "-Inf"},
		{figure(number(1e300)), "1.00e+300"},
		{size(number(1e300)), "1.00e+291 GB"},
		{latency(exactly(1e300)), "1.000e+300 s"},
		{share(1e300), "1.000e+302%"},
		{percent(1e300), "1.000e+302%"},
		{share(-0.000_1), "0.0%"},
		{percent(0.999_9), "0.0%"},
		{percent(0.98), "-2.0%"},
		{percent(1.012), "+1.2%"},
		{cores(number(-0.000_1)), "0.000"},
		{perRequest(nil), "–"},
		{perRequest(number(0.000_111)), "0.00"},
		{perRequest(number(-0.001)), "0.00"},
		{perRequest(number(2.004)), "2.00"},
		{ratio(number(49.98), number(50)), "100%"},
		{ratio(number(24.98), number(50)), "50.0%"},
		{ratio(number(0.4996), number(50)), "1.0%"},
		{ratio(number(5), nil), "–"},
		{ratio(number(5), number(0)), "–"},
		{count(0), "0"},
		{count(99_999), "99,999"},
		{count(412_345), "412k"},
		{count(999_499), "999k"},
		{count(999_500), "1.00M"},
		{count(12_345_678), "12.3M"},
		{figure(nil), "–"},
		{size(nil), "–"},
		{size(number(240.4)), "240 B"},
		{size(number(999.6)), "1.00 kB"},
		{size(number(15_000)), "15.0 kB"},
		{size(number(8 << 30)), "8.59 GB"},
		{size(number(-4096)), "-4.10 kB"}, // a peak can be below idle
		{scaled(number(0.000_11), 1e3), "0.110"},
		{scaled(number(12.34e-6), 1e6), "12.3"},
		{list(nil), ""},
		{list([]string{"a"}), "a"},
		{list([]string{"a", "b", "c"}), "a, b and c"},
		{plural(1, "client"), "1 client"},
		{plural(5000, "request"), "5,000 requests"},
		{clean("\x1b[31mred\nline\tend"), " [31mred line end"},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

func TestLoadInWords(t *testing.T) {
	tests := []struct {
		load result.Load
		want string
	}{
		{
			article().Load,
			"100 clients, each with one request at a time, until 5,000 requests were answered; 6 rounds;" +
				" a connection for each request; by the built-in load generator",
		},
		{
			result.Load{
				Generator: "wrk", Loop: "closed", Concurrency: 1, DurationSeconds: 10, Keepalive: true, Repeat: 1, WarmupSeconds: 1.5,
			},
			"1 client, each with one request at a time, for 10 s; 1 round, without the first 1.5 s of each; on kept connections; by wrk",
		},
		{
			result.Load{Generator: "builtin", Loop: "open", Rate: 250, Concurrency: 9000, DurationSeconds: 30, Repeat: 6},
			"250 requests/s, sent whatever became of them, at most 9,000 of them waiting at a time, for 30 s; 6 rounds;" +
				" a connection for each request; by the built-in load generator",
		},
	}
	for _, test := range tests {
		if got := loadInWords(test.load); got != test.want {
			t.Errorf("%q\nwant %q", got, test.want)
		}
	}
}

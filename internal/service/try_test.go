package service

import "testing"

// TestTry checks that the command to try fits the mode, its work and the delay.
func TestTry(t *testing.T) {
	for _, c := range []struct{ flags, want string }{
		{"", "ab -c 100 -n 500 URL"},
		{"--mode=pool", "ab -c 100 -n 500 URL"},
		{"--preset=small-pool", "ab -c 30 -n 70 URL"},
		{"--max-connections=20", "ab -c 100 -n 140 URL"},
		{"--mode=single", "ab -c 6 -n 7 URL"},
		{"--mode=single --delay=10ms", "ab -c 100 -n 500 URL"},
		{"--mode=thread --max-threads=20", "ab -c 20 -n 140 URL"},
		{"--mode=eventloop --work=block", "ab -c 55 -n 56 URL"},
		{"--work=mutex --slots=2 --processes=2", "ab -c 27 -n 28 URL"},
		{"--delay=4s", "ab -c 100 -n 300 URL"},
		{"--delay=8s", "ab -c 99 -n 100 URL"},
		{"--delay=9s", "curl -i URL"},
		{"--delay=0", "ab -c 100 -n 500 URL"},
	} {
		settings := settingsOf(t, c.flags)
		if got := try(settings, "URL"); got != c.want {
			t.Errorf("%q: %s, want %s", c.flags, got, c.want)
		}
	}
}

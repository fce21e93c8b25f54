package configs

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestKeepLasting checks that a reload changes all settings except the RestartOnly ones, and returns the names of
// these.
func TestKeepLasting(t *testing.T) {
	inForce := load(t, Inputs{Flags: flags("port=80", "admin-token=old", "delay=1s", "log-level=warn")})
	again := load(t, Inputs{Flags: flags("port=81", "admin-token=new", "delay=2s", "log-level=warn", "backlog=7")})
	if diff := cmp.Diff([]string{"port", "admin-token", "backlog"}, again.CarryOver(inForce)); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if again.Port != 80 || string(again.AdminToken) != "old" || again.Backlog != 0 {
		t.Errorf("port %d, token %q, backlog %d; want those that were in force", again.Port, string(again.AdminToken), again.Backlog)
	}
	if again.Source("backlog").Kind != FromDefault {
		t.Errorf("backlog comes from %s, want the default", again.Source("backlog"))
	}
	if again.Delay != 2*time.Second {
		t.Errorf("delay %s, want the new one", again.Delay)
	}
}

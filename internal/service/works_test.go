package service

import (
	"testing"
	"time"

	"demo-server/configs"
)

// TestOpenWorks checks that requests get the kinds that they may ask for, and share the server's own.
func TestOpenWorks(t *testing.T) {
	for _, row := range []struct {
		settings configs.Settings
		want     []string
	}{
		{configs.Settings{Work: "sleep"}, nil},
		{configs.Settings{Work: "sleep", Overrides: true}, []string{"sleep", "block", "cpu", "mutex"}},
		{configs.Settings{Work: "grpc", Overrides: true}, []string{"sleep", "block", "cpu", "mutex", "grpc"}},
	} {
		row.settings.MaxThreads, row.settings.Slots, row.settings.DialTimeout = 1, 1, time.Second
		works, err := openWorks(&row.settings)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range row.want {
			if works.requestable[name] == nil {
				t.Errorf("work %s: none for requests that ask for %s", row.settings.Work, name)
			}
		}
		if len(works.requestable) != len(row.want) || len(row.want) > 0 && works.requestable[row.settings.Work] != works.defaultWork {
			t.Errorf("work %s: requests may ask for %v, want %v, its own among them", row.settings.Work, works.requestable, row.want)
		}
		if err := works.close(); err != nil {
			t.Error(err)
		}
	}
}

// TestOpenFails checks that the error names the kind of work.
func TestOpenFails(t *testing.T) {
	works, err := openWorks(&configs.Settings{Work: "file", Dir: "/nowhere/at/all", MaxThreads: 1})
	if err == nil {
		t.Fatalf("opened %+v", works)
	}
	const want = "work file: "
	if got := err.Error(); got[:min(len(want), len(got))] != want {
		t.Errorf("got %q, want %s…", got, want)
	}
}

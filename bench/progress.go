package bench

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// A Progress shows how far a run is. mu guards done to rate; rounds and total never change.
type Progress struct {
	mu      sync.Mutex
	rounds  int
	total   time.Duration // sum of the predicted times of the repeats
	done    time.Duration
	current time.Duration // of the present repeat
	since   time.Time
	row     string // the present one
	round   int
	replies float64 // right ones of the present repeat
	rate    float64 // of these per second; 0 before the first one

	closed  chan struct{}
	drawing sync.WaitGroup
}

// The intervals between updates: lines if there is no terminal, a bar on a terminal.
const (
	lineEvery = 5 * time.Second
	barEvery  = 200 * time.Millisecond
)

// The max lengths of the text of a line and of a bar, to fit into 80 columns: share and time left take up to 20 more,
// and a bar needs 10.
const (
	lineWidth = 60
	barWidth  = 50
)

// NewLines returns a Progress that regularly writes a line to out. The run takes about takes.
func NewLines(out io.Writer, takes time.Duration, rounds int) *Progress {
	p := &Progress{rounds: rounds, total: takes, closed: make(chan struct{})}
	p.draw(lineEvery, func() {
		fmt.Fprintf(out, "%s  %2.0f%%  %s\n", p.now(lineWidth), 100*p.share(), p.left())
	}, func() {})
	return p
}

// barSteps is the resolution of a bar. The last step is only for a complete run.
const barSteps = 10_000

// NewBar returns a Progress that draws a bar on a terminal, and removes it on Close.
func NewBar(out io.Writer, takes time.Duration, rounds int) *Progress {
	p := &Progress{rounds: rounds, total: takes, closed: make(chan struct{})}
	screen := mpb.New(mpb.WithOutput(out), mpb.WithWidth(40), mpb.WithRefreshRate(barEvery), mpb.WithAutoRefresh())
	bar := screen.AddBar(barSteps, mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return p.now(barWidth) + " " })),
		mpb.AppendDecorators(decor.Percentage(), decor.Any(func(decor.Statistics) string { return "  " + p.left() })),
	)
	p.draw(barEvery, func() { bar.SetCurrent(min(int64(p.share()*barSteps), barSteps-1)) }, func() {
		bar.SetCurrent(barSteps)
		screen.Wait()
	})
	return p
}

// draw calls each at every interval, and last when the progress is closed.
func (p *Progress) draw(every time.Duration, each, last func()) {
	p.drawing.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				each()
			case <-p.closed:
				last()
				return
			}
		}
	})
}

// Begin records the start of a repeat and its predicted time.
func (p *Progress) Begin(row string, round int, takes time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.row, p.round, p.replies, p.rate = row, round, 0, 0
	p.current, p.since = takes+betweenRows, time.Now()
}

// End records the end of the repeat.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += p.current
	p.current = 0
}

// Close stops drawing and waits for the last update.
func (p *Progress) Close() {
	close(p.closed)
	p.drawing.Wait()
}

// count records the number of right replies since the load began. The rate counts up to the last new reply, because
// replies may come in rounds, and the rate does not fall between two of them.
func (p *Progress) count(at time.Duration, replies float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if replies > p.replies && at > 0 {
		p.replies, p.rate = replies, replies/at.Seconds()
	}
}

// now describes the present repeat in at most width characters.
func (p *Progress) now(width int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.row == "" {
		return ""
	}
	text := fmt.Sprintf(", round %d of %d", p.round, p.rounds)
	switch {
	case p.rate >= 100:
		text += fmt.Sprintf(", %.0f requests/s", p.rate)
	case p.rate > 0:
		text += fmt.Sprintf(", %.3g requests/s", p.rate)
	}
	return clip(p.row, width-len(text)) + text
}

// clip shortens a name to at most width characters.
func clip(name string, width int) string {
	if runes := []rune(name); len(runes) > width {
		return string(runes[:max(0, width-1)]) + "…"
	}
	return name
}

func (p *Progress) past() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return min(p.total, p.done+min(p.current, time.Since(p.since)))
}

func (p *Progress) share() float64 { return p.past().Seconds() / max(p.total.Seconds(), 1e-9) }

func (p *Progress) left() string { return (p.total - p.past()).Round(time.Second).String() + " left" }

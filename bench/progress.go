package bench

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// A Progress shows how far a run is.
type Progress struct {
	mu      sync.Mutex
	rounds  int
	total   time.Duration // by what each repeat was predicted to take
	done    time.Duration
	current time.Duration // of what is measured now
	since   time.Time
	row     string // that is measured now
	round   int
	replies float64 // right ones of the current row in this round
	rate    float64 // of these per second; 0 before the first one

	closed  chan struct{}
	drawing sync.WaitGroup
}

// How often a progress is drawn: as a line where no terminal is, and as a bar.
const (
	lineEvery = 5 * time.Second
	barEvery  = 200 * time.Millisecond
)

// How long the text of a line and of a bar is at most, so that 80 columns are enough: share and time left take up to 20 more,
// and a bar needs 10.
const (
	lineWidth = 60
	barWidth  = 50
)

// NewLines writes a line to out now and then, of a run that takes about so long.
func NewLines(out io.Writer, takes time.Duration, rounds int) *Progress {
	p := &Progress{rounds: rounds, total: takes, closed: make(chan struct{})}
	p.draw(lineEvery, func() {
		fmt.Fprintf(out, "%s  %2.0f%%  %s\n", p.now(lineWidth), 100*p.share(), p.left())
	}, func() {})
	return p
}

// barSteps is how fine a bar is drawn. It is complete only when the run is.
const barSteps = 10_000

// NewBar draws a bar on a terminal, and takes it away when it is closed.
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

// draw calls each now and then, and last when the progress is closed.
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

// Begin notes what is measured now, and what that takes.
func (p *Progress) Begin(row string, round int, takes time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.row, p.round, p.replies, p.rate = row, round, 0, 0
	p.current, p.since = takes+betweenRows, time.Now()
}

// End notes that it has been measured.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += p.current
	p.current = 0
}

// Close ends the drawing.
func (p *Progress) Close() {
	close(p.closed)
	p.drawing.Wait()
}

// count notes how many right replies there have been at a time since the load began. The rate is up to the last one that
// was seen: replies may come in rounds, and between two of them it is not the rate that falls.
func (p *Progress) count(at time.Duration, replies float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if replies > p.replies && at > 0 {
		p.replies, p.rate = replies, replies/at.Seconds()
	}
}

// now says what is measured, in at most width characters.
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

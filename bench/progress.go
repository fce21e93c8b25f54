package bench

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// Lines is the progress for where no terminal is: a line now and then.
type Lines struct {
	out   io.Writer
	eta   *eta
	mu    sync.Mutex
	now   string
	done  chan struct{}
	ended sync.WaitGroup
}

// lineEvery is how often Lines says something.
const lineEvery = 5 * time.Second

// NewLines begins to write to out of a run that takes about so long.
func NewLines(out io.Writer, takes time.Duration, rounds int) *Lines {
	l := &Lines{out: out, eta: newETA(takes, rounds), done: make(chan struct{})}
	l.ended.Go(func() {
		ticker := time.NewTicker(lineEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				l.line()
			case <-l.done:
				return
			}
		}
	})
	return l
}

func (l *Lines) line() {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.out, "%s  %3.0f%%, %s left\n", l.now, 100*l.eta.share(), clock(l.eta.left()))
}

// Begin notes what is measured now.
func (l *Lines) Begin(row string, round int, takes time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = l.eta.begin(row, round, takes)
}

// End notes that it has been.
func (l *Lines) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.eta.end()
}

// Close ends the progress.
func (l *Lines) Close() {
	close(l.done)
	l.ended.Wait()
}

// Bars is the progress on a terminal.
type Bars struct {
	progress *mpb.Progress
	bar      *mpb.Bar
	mu       sync.Mutex
	eta      *eta
	now      string
	done     chan struct{}
	ended    sync.WaitGroup
}

// barEvery is how often Bars moves.
const barEvery = 200 * time.Millisecond

// NewBars begins to draw on out of a run that takes about so long.
func NewBars(out io.Writer, takes time.Duration, rounds int) *Bars {
	b := &Bars{eta: newETA(takes, rounds), done: make(chan struct{})}
	b.progress = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40), mpb.WithRefreshRate(barEvery), mpb.WithAutoRefresh())
	b.bar = b.progress.AddBar(barSteps,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return b.read(func() string { return b.now }) })),
		mpb.AppendDecorators(decor.Percentage(), decor.Any(func(decor.Statistics) string {
			return b.read(func() string { return "  " + clock(b.eta.left()) + " left" })
		})),
	)
	b.ended.Go(func() {
		ticker := time.NewTicker(barEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				b.bar.SetCurrent(b.steps())
			case <-b.done:
				return
			}
		}
	})
	return b
}

// barSteps is how fine a bar is drawn. It is complete only when the bench is.
const barSteps = 10_000

func (b *Bars) steps() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return min(int64(b.eta.share()*barSteps), barSteps-1)
}

func (b *Bars) read(text func() string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return text()
}

// Begin notes what is measured now.
func (b *Bars) Begin(row string, round int, takes time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.eta.begin(row, round, takes) + " "
}

// End notes that it has been.
func (b *Bars) End() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.eta.end()
}

// Close takes the bar off the screen.
func (b *Bars) Close() {
	close(b.done)
	b.ended.Wait()
	b.bar.SetCurrent(barSteps)
	b.progress.Wait()
}

// An eta knows how far a run is, by what each repeat was predicted to take.
type eta struct {
	rounds  int
	total   time.Duration
	done    time.Duration
	current time.Duration // of what is measured now
	since   time.Time
}

func newETA(takes time.Duration, rounds int) *eta {
	return &eta{rounds: rounds, total: takes, since: time.Now()}
}

func (e *eta) begin(row string, round int, takes time.Duration) string {
	e.current, e.since = takes+betweenRows, time.Now()
	return fmt.Sprintf("%s, round %d of %d", row, round, e.rounds)
}

func (e *eta) end() {
	e.done += e.current
	e.current = 0
}

func (e *eta) past() time.Duration { return e.done + min(e.current, time.Since(e.since)) }

func (e *eta) share() float64 {
	if e.total == 0 {
		return 0
	}
	return min(1, e.past().Seconds()/e.total.Seconds())
}

func (e *eta) left() time.Duration { return max(0, e.total-e.past()) }

// clock writes a duration to the second.
func clock(d time.Duration) string { return d.Round(time.Second).String() }

package main

import (
	"fmt"
	"strconv"
	"time"

	"demo-server/configs"
	"demo-server/modes"
)

// bound says in words what bounds the mode and its work together, with the rate that follows from it.
func bound(mode modes.Mode, settings *configs.Settings) string {
	places, words := ceiling(mode, settings)
	switch {
	case places == 0:
		return fmt.Sprintf("max-connections, %d", processes(settings)*maxConnections(settings))
	case settings.Delay == 0:
		return words
	}
	return fmt.Sprintf("%s / %s = %s requests/s", words, settings.Delay, plainRate(float64(places)/settings.Delay.Seconds()))
}

// ceiling returns how many requests all processes work on at a time, and what each of them has, in words: of the mode's bound,
// that of the work and max-connections the lowest. It returns 0 if there is none.
func ceiling(mode modes.Mode, settings *configs.Settings) (n int, words string) {
	n, words = places(mode, settings), held(mode, settings)
	ofWork, wordsOfWork := kindOf(settings.Work).bound(settings).of(settings)
	if ofWork > 0 && (n == 0 || ofWork < n) {
		n, words = ofWork, wordsOfWork
	}
	if most := processes(settings) * settings.MaxConnections; most > 0 && (n == 0 || most < n) {
		n, words = most, inEach(settings, fmt.Sprintf("%d %s", settings.MaxConnections, plural("connection", settings.MaxConnections)))
	}
	return n, words
}

// places is how many requests all processes work on at a time, 0 for no bound of their own.
func places(mode modes.Mode, settings *configs.Settings) int {
	return processes(settings) * mode.Places
}

// processes is how many serve, each with places and a queue of its own.
func processes(settings *configs.Settings) int { return max(1, settings.Processes) }

// share is what is worked on in a delay, such as "50 workers / 2s", or "2 × 50 workers / 2s" in two processes, and empty
// for no bound of its own.
func share(mode modes.Mode, settings *configs.Settings) string {
	if mode.Places == 0 {
		return ""
	}
	return perDelay(held(mode, settings), settings.Delay)
}

// held says what each request that is worked on has, such as "50 workers".
func held(mode modes.Mode, settings *configs.Settings) string {
	noun := map[string]string{
		modes.BoundWorkers: "worker", modes.BoundThreads: "thread", modes.BoundLoops: "loop", modes.BoundHelpers: "helper",
	}[mode.Bound]
	words := fmt.Sprintf("%d %s", mode.Places, plural(noun, mode.Places))
	if mode.Bound == modes.BoundOne {
		words = "1 at a time"
	}
	return inEach(settings, words)
}

// inEach says of how many processes each has that.
func inEach(settings *configs.Settings, words string) string {
	if settings.Processes > 1 {
		return fmt.Sprintf("%d × %s", settings.Processes, words)
	}
	return words
}

func perDelay(words string, delay time.Duration) string {
	if delay == 0 {
		return words
	}
	return fmt.Sprintf("%s / %s", words, delay)
}

func plural(noun string, n int) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// plainRate has four digits, or as many as the whole number has: never an exponent.
func plainRate(rate float64) string {
	if rate >= 1000 {
		return strconv.FormatFloat(rate, 'f', 0, 64)
	}
	return strconv.FormatFloat(rate, 'g', 4, 64)
}

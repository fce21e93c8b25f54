package main

import (
	"fmt"
	"strconv"
	"time"

	"demo-server/configs"
	"demo-server/modes"
)

// bound says in words what bounds the mode, with the rate that follows from it.
func bound(mode modes.Mode, settings *configs.Settings) string {
	return boundOf(mode.Name, places(mode, settings), share(mode, settings), settings.Delay)
}

// boundOf says in words what bounds a mode or a kind of work: share is what is worked on in a delay, at so many places.
func boundOf(name string, places int, share string, delay time.Duration) string {
	switch {
	case places == 0:
		return name + ": no bound of its own"
	case delay == 0:
		return name + ": " + share
	}
	return fmt.Sprintf("%s: %s = %s requests/s", name, share, plainRate(float64(places)/delay.Seconds()))
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
	noun := map[string]string{
		modes.BoundWorkers: "worker", modes.BoundThreads: "thread", modes.BoundLoops: "loop", modes.BoundHelpers: "helper",
	}[mode.Bound]
	words := fmt.Sprintf("%d %s", mode.Places, plural(noun, mode.Places))
	switch {
	case mode.Places == 0:
		return ""
	case mode.Bound == modes.BoundOne:
		words = "1 at a time"
	}
	return perDelay(inEach(settings, words), settings.Delay)
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

package load

import (
	"bytes"
	"math"
	"strconv"
)

// readTiming parses the times of the queue and of the work from a Server-Timing header, in microseconds; -1 if one is
// missing. W3C Server Timing, section 4: metrics are separated by commas, each a name with parameters, dur in
// milliseconds.
func readTiming(header []byte) (queued, worked int32) {
	queued, worked = -1, -1
	for metric := range bytes.SplitSeq(header, []byte(",")) {
		name, parameters, _ := bytes.Cut(bytes.TrimSpace(metric), []byte(";"))
		switch string(bytes.TrimSpace(name)) {
		case "queue":
			queued = duration(parameters)
		case "work":
			worked = duration(parameters)
		}
	}
	return queued, worked
}

func duration(parameters []byte) int32 {
	for parameter := range bytes.SplitSeq(parameters, []byte(";")) {
		value, found := bytes.CutPrefix(bytes.TrimSpace(parameter), []byte("dur="))
		if !found {
			continue
		}
		millis, err := strconv.ParseFloat(string(value), 64)
		if err == nil && millis >= 0 && millis*1000 <= math.MaxInt32 {
			return int32(math.Round(millis * 1000))
		}
	}
	return -1
}
